import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { GRPC, grpcCode, grpcMessage } from './grpc-errors.ts';

/** The keyword attributes by which people find windows and deploys (design, "Contracts that others build on"). */
export const SEARCH_ATTRIBUTES = [
  'D2dRepo',
  'D2dWorkItem',
  'D2dPhase',
  'D2dVerdict',
  'D2dOutcome',
  'D2dVersion',
] as const;

/** What is needed of a `Connection`; a `NativeConnection` does as well. */
export type SearchAttributeConnection = Pick<Connection, 'workflowService' | 'operatorService'>;

// A CommonJS package: Node finds no named exports in it.
const { INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/** Longest wait for new attributes to be known to every part of the server, ms; on a cluster that takes seconds. */
const VISIBLE_MS = 30_000;

/**
 * Registers the search attributes that are missing and waits until they can be used: a workflow that sets an unknown one fails its
 * task for ever.
 * @returns the names that were registered now.
 * @throws where one of the names has another type, where we may not register (the message holds the command), or where Temporal
 * does not answer.
 */
export async function ensureSearchAttributes(
  connection: SearchAttributeConnection,
  namespace: string,
): Promise<string[]> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return missing;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    // Another worker, starting at the same moment, may have been faster; whether it was shows below.
    if (grpcCode(error) !== GRPC.ALREADY_EXISTS) throw notRegistered(error, namespace, missing);
  }
  await untilUsable(connection, namespace, missing);
  return missing;
}

/**
 * The names that are not registered yet; nothing is changed. Whether all are there a query tells: the operator's API, which often
 * is not for workers (nor there at all in Temporal Cloud), is asked only where they are not.
 * @throws where one of the names has another type, or where Temporal does not answer.
 */
export async function missingSearchAttributes(
  connection: SearchAttributeConnection,
  namespace: string,
): Promise<string[]> {
  if ((await whyUnusable(connection, namespace, SEARCH_ATTRIBUTES)) === null) return [];
  const customAttributes = await registered(connection, namespace);
  const wrong = SEARCH_ATTRIBUTES.filter((name) => ![undefined, KEYWORD].includes(customAttributes[name]));
  if (wrong.length > 0) {
    throw new Error(
      `The search attribute${wrong.length > 1 ? 's' : ''} ${wrong.join(', ')} of namespace ${namespace} must be of type Keyword: ` +
        `remove and register anew (${removeCommand(namespace, wrong)} && ${createCommand(namespace, wrong)})`,
    );
  }
  return SEARCH_ATTRIBUTES.filter((name) => customAttributes[name] === undefined);
}

/** The types of the attributes that there are. @throws with the commands, where we may not ask. */
async function registered(connection: SearchAttributeConnection, namespace: string) {
  try {
    return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    throw mayNot(error) ? notRegistered(error, namespace, SEARCH_ATTRIBUTES) : error;
  }
}

const mayNot = (error: unknown): boolean =>
  [GRPC.PERMISSION_DENIED, GRPC.UNAUTHENTICATED, GRPC.UNIMPLEMENTED].some((code) => code === grpcCode(error));

/** The command that registers them by hand. */
export const createCommand = (namespace: string, names: readonly string[]): string =>
  `temporal operator search-attribute create --namespace ${namespace} ${names.map((name) => `--name ${name} --type Keyword`).join(' ')}`;

const removeCommand = (namespace: string, names: readonly string[]): string =>
  `temporal operator search-attribute remove --yes --namespace ${namespace} ${names.map((name) => `--name ${name}`).join(' ')}`;

/** The same in Temporal Cloud. */
const cloudCommand = (namespace: string, names: readonly string[]): string =>
  `tcld namespace search-attributes add --namespace ${namespace} ${names.map((name) => `--search-attribute "${name}=Keyword"`).join(' ')}`;

function notRegistered(cause: unknown, namespace: string, missing: readonly string[]): Error {
  const why = mayNot(cause) ? 'this client may not register them' : grpcMessage(cause);
  if (/cannot have more than \d+ search attribute/i.test(why)) {
    return new Error(
      `The search attributes ${missing.join(', ')} cannot be added: namespace ${namespace} has reached its limit (${why}). ` +
        `An administrator must remove unused Keyword attributes (temporal operator search-attribute list ` +
        `--namespace ${namespace}, then remove --name …), take a namespace of its own (TEMPORAL_NAMESPACE), or a visibility store without ` +
        `that limit (Elasticsearch; in Temporal Cloud ask for a higher one). Then run: ${createCommand(namespace, missing)}`,
      { cause },
    );
  }
  return new Error(
    `The search attributes ${missing.join(', ')} are missing in namespace ${namespace} and could not be registered (${why}). ` +
      `An administrator must run: ${createCommand(namespace, missing)}; in Temporal Cloud: ${cloudCommand(namespace, missing)}`,
    { cause },
  );
}

/**
 * Why a query cannot name them; `null`: it can. `IN` is refused for texts and times, not for numbers (measured, server 1.29).
 * @throws where Temporal does not answer.
 */
async function whyUnusable(
  connection: SearchAttributeConnection,
  namespace: string,
  names: readonly string[],
): Promise<unknown> {
  const query = names.map((name) => `${name} IN ('none', 'nothing')`).join(' OR ');
  try {
    await connection.workflowService.countWorkflowExecutions({ namespace, query });
    return null;
  } catch (error) {
    if (grpcCode(error) === GRPC.INVALID_ARGUMENT) return error;
    throw error;
  }
}

/** A query that names them is refused until the server's parts have all heard of them; the list shows them earlier. */
async function untilUsable(connection: SearchAttributeConnection, namespace: string, names: readonly string[]) {
  const deadline = Date.now() + VISIBLE_MS;
  for (;;) {
    const cause = await whyUnusable(connection, namespace, names);
    if (cause === null) return;
    if (Date.now() > deadline) {
      const message = `The search attributes ${names.join(', ')} were registered but are not usable after ${VISIBLE_MS / 1000} s`;
      throw new Error(`${message}: ${grpcMessage(cause)}`, { cause });
    }
    await delay(200);
  }
}
