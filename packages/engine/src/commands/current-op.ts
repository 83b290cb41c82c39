import { hostname } from 'node:os';
import { DateTime, type Document, toDocument } from '../bson/value.ts';
import { compileFilter } from '../query/filter.ts';
import type { Operation } from '../session/operation.ts';
import type { CommandDefinition } from './command.ts';
import type { EngineServices } from './engine-services.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';

const OPTIONS =
  /^(\$all$|\$ownOps$|\$db$|\$clusterTime$|\$readPreference$|lsid$|comment$|currentOp$|maxTimeMS$|apiVersion$|apiStrict$|apiDeprecationErrors$)/;

/** `currentOp` (manual): what runs at the moment; further fields of the command are a filter. */
export const currentOp: CommandDefinition = {
  name: 'currentOp',
  help: 'Shows the running operations',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: undefined,
  run({ args, services }) {
    const condition: Document = new Map();
    for (const [name, value] of args) if (!OPTIONS.test(name)) condition.set(name, value);
    const filter = compileFilter(condition);
    const all = listOperations(services, isTrue(args.get('$all')));
    const isLocked = services.store.lockCount > 0;
    return reply({
      inprog: all.filter((operation) => filter.matches(operation)),
      ...(isLocked && {
        fsyncLock: true,
        info: 'use db.fsyncUnlock() to terminate the fsync write/snapshot lock',
      }),
    });
  },
};

/** The running operations as `$currentOp` and the command show them. */
export function listOperations(services: EngineServices, withIdle: boolean): Document[] {
  const busy = [...services.operations.all()].map((operation) =>
    describeOperation(services, operation),
  );
  if (!withIdle) return busy;
  const busyConnections = new Set([...services.operations.all()].map((o) => o.connectionId));
  const idle = [...services.connections.all()]
    .filter((connection) => !busyConnections.has(connection.id))
    .map((connection) =>
      toDocument({
        type: 'op',
        host: hostname(),
        desc: `conn${connection.id}`,
        connectionId: connection.id,
        client: connection.remoteAddress,
        clientMetadata: connection.clientMetadata,
        active: false,
      }),
    );
  return [...busy, ...idle];
}

function describeOperation(services: EngineServices, operation: Operation): Document {
  const connection = [...services.connections.all()].find(
    ({ id }) => id === operation.connectionId,
  );
  const runningMs = Date.now() - operation.startedAtMs;
  const command: Document = new Map(operation.command);
  command.delete('$clusterTime');
  return toDocument({
    type: 'op',
    host: hostname(),
    desc: `conn${operation.connectionId}`,
    connectionId: operation.connectionId,
    client: connection?.remoteAddress,
    appName: operation.appName,
    clientMetadata: connection?.clientMetadata,
    active: true,
    currentOpTime: new Date().toISOString(),
    opid: operation.id,
    lsid: operation.command.get('lsid'),
    secs_running: BigInt(Math.floor(runningMs / 1000)),
    microsecs_running: BigInt(runningMs * 1000),
    op: operationKind(operation.commandName),
    ns: operation.namespace,
    command,
    effectiveUsers: [],
    startedAt: new DateTime(operation.startedAtMs),
  });
}

function operationKind(command: string): string {
  switch (command) {
    case 'find':
      return 'query';
    case 'getMore':
      return 'getmore';
    case 'insert':
    case 'update':
      return command;
    case 'delete':
      return 'remove';
    default:
      return 'command';
  }
}
