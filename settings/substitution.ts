import { type Env, findSecret, type ReadFile } from './environment.ts';

/** The text with the values in place of the names, or why that cannot be. */
export type Substituted =
  | { readonly text: string; readonly fault?: never }
  | { readonly fault: string; readonly text?: never };
export type Substitute = (template: string) => Substituted;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Puts environment variables (or the content of the file that `<NAME>_FILE` names) in the place of `${NAME}`; `$${` stands
 * for `${` itself. So that no secret stands in a file. The returned function never throws, and its faults show no value.
 * @param onFilled told of each value that is filled in
 */
export const createSubstitute =
  (env: Env, readFile: ReadFile, onFilled: (value: string) => void): Substitute =>
  (template) => {
    const faults: string[] = [];
    const text = template.replaceAll(
      /(\$?)\$\{([^}]*)(\}?)/g,
      (whole: string, escaped: string, name: string, end: string) => {
        if (escaped !== '') return whole.slice(1);
        if (end === '' || !NAME.test(name)) {
          faults.push(
            `holds a \${ that begins no name such as \${DEPLOY_TOKEN} (write $\${ for the characters themselves)`,
          );
          return '';
        }
        const before = faults.length;
        const found = findSecret(env, readFile, name, (fault) => faults.push(`cannot be filled in: ${fault}`));
        if (found === null && faults.length === before) {
          faults.push(`names \${${name}}, which is not set in the environment: set ${name} or ${name}_FILE`);
        }
        if (found !== null) onFilled(found.text);
        return found?.text ?? '';
      },
    );
    const [fault] = faults;
    return fault === undefined ? { text } : { fault: [...new Set(faults)].join('; ') };
  };
