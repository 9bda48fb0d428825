import type { Env, ReadFile } from '../../settings.ts';

/** A sound environment; name only what matters. */
export const environment = (more: Env = {}): Env => ({
  DATABASE_URL: 'postgres://orch:pa55word@db.example.org:5432/orch',
  ORCH_PLANE_URL: 'https://plane.example.org',
  ORCH_PLANE_API_KEY: 'plane_api_0123456789',
  ORCH_PLANE_WORKSPACE: 'acme',
  ORCH_PLANE_PROJECT: 'ORCH',
  ORCH_SELF_HOSTING_REPO: 'orchestrator',
  ORCH_POST_DEPLOY_HEALTH_URL: 'http://localhost:8500/health',
  ...more,
});

/** Files by their paths; any other does not exist. */
export const files =
  (contents: Readonly<Record<string, string>>): ReadFile =>
  (path) => {
    const content = Object.hasOwn(contents, path) ? contents[path] : undefined;
    if (content === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return content;
  };

export const noFiles = files({});

/** An environment whose repositories file is this text, and the file. */
export const described = (yaml: string, more: Env = {}): readonly [Env, ReadFile] => [
  environment({ ORCH_REPOSITORIES_FILE: 'repositories.yaml', ...more }),
  files({ 'repositories.yaml': yaml }),
];
