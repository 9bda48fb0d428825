import { SECTIONS, VARIABLES, type VariableName } from './schema.ts';

/** Longest line of a comment, characters. */
const WIDTH = 110;

function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

/** What holds where it is not set, in words; `null`: what stands in the table says it. */
function otherwise(name: VariableName): string {
  const { unset, default: written, follows } = VARIABLES[name];
  if (unset === undefined) return 'Must be set.';
  if (written === null || written === '') return '';
  return follows === null ? `Default: ${written}.` : `Default: ${written}; ${follows}.`;
}

/** A value that shells, Node and Compose all read alike. */
const quoted = (value: string): string => (/^[\w./:-]*$/.test(value) ? value : `"${value}"`);

/** `.env.example`: every variable with its help and its default; those whose default depends on others are left empty. */
export function renderEnvExample(): string {
  const entry = (name: VariableName): string => {
    const { kind, help, secret, default: written, follows } = VARIABLES[name];
    const fromFile = secret ? ` Or ${name}_FILE: a file that holds it.` : '';
    const text = `${help} ${otherwise(name)} Accepted: ${kind.accepts}.${fromFile}`.replaceAll(/ +/g, ' ');
    return `${comment(text)}\n${name}=${follows === null ? quoted(written ?? '') : ''}`;
  };
  const sections = SECTIONS.map(({ title, names }) => `## ${title}\n\n${names.map(entry).join('\n\n')}`);
  return `${comment(
    'Settings of deploy-to-done. Copy to .env in the folder in which the worker and d2d run: both read it there, and the environment wins. An empty value is the same as none. More in docs/settings.md; how Temporal is reached is set by its own standard variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and so on).',
  )}\n\n${sections.join('\n\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The tables of variables in `docs/settings.md`. */
export function renderReference(): string {
  const row = (name: VariableName): string => {
    const { kind, help, secret, unset, default: written, follows } = VARIABLES[name];
    const value =
      unset === undefined
        ? '**required**'
        : written === null || written === ''
          ? '–'
          : `\`${written}\`${follows === null ? '' : `; ${follows}`}`;
    return `| \`${name}\`${secret ? ' (secret)' : ''} | ${cell(kind.accepts)} | ${cell(value)} | ${cell(help)} |`;
  };
  const table = ({ title, names }: (typeof SECTIONS)[number]): string =>
    `### ${title}\n\n| variable | accepted | default | |\n|---|---|---|---|\n${names.map(row).join('\n')}`;
  return SECTIONS.map(table).join('\n\n');
}
