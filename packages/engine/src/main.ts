/** The engine as a process of its own: `node main.js --data DIR --port N`. */
import { parseArgs } from 'node:util';
import { startEngine } from './index.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: './quorate-data' },
    port: { type: 'string', default: '27017' },
    host: { type: 'string', default: '127.0.0.1' },
    socket: { type: 'string' },
    'replica-set': { type: 'string' },
    auth: { type: 'boolean', default: false },
    'test-commands': { type: 'boolean', default: false },
  },
});

try {
  const engine = await startEngine({
    dataPath: values.data,
    port: Number(values.port),
    host: values.host,
    auth: values.auth,
    testCommands: values['test-commands'],
    ...(values.socket !== undefined && { socketPath: values.socket }),
    ...(values['replica-set'] !== undefined && { replicaSetName: values['replica-set'] }),
  });
  console.log(`listening ${engine.uri}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      engine.close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
