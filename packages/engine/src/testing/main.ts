/**
 * A rehearsed replica set as a process of its own, for tests of other processes:
 * `node main.js [--ports 27017,27018,27019] [--hosts A,B,C] [--advertised A:1,B:2,C:3] [--data DIR] [--set-name NAME] [--control-port N]`.
 *
 * Orders come as lines of JSON on the standard input and are answered on the standard output, or as
 * `POST /` to the control port (loopback only) with the same JSON.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startReplicaSet } from './replica-set.ts';
import { runOrder } from './set-order.ts';

const MAX_ORDER_BYTES = 4096;

const { values } = parseArgs({
  options: {
    ports: { type: 'string' },
    hosts: { type: 'string' },
    advertised: { type: 'string' },
    members: { type: 'string' },
    data: { type: 'string' },
    'set-name': { type: 'string' },
    'control-port': { type: 'string' },
    'election-timeout-ms': { type: 'string' },
    'election-ms': { type: 'string' },
  },
});

const set = await startReplicaSet({
  ...(values.ports !== undefined && { ports: values.ports.split(',').map(Number) }),
  ...(values.hosts !== undefined && { hosts: values.hosts.split(',') }),
  ...(values.advertised !== undefined && { advertised: values.advertised.split(',') }),
  ...(values.members !== undefined && { members: Number(values.members) }),
  ...(values.data !== undefined && { dataPath: values.data }),
  ...(values['set-name'] !== undefined && { setName: values['set-name'] }),
  ...(values['election-timeout-ms'] !== undefined && {
    electionTimeoutMs: Number(values['election-timeout-ms']),
  }),
  ...(values['election-ms'] !== undefined && { electionMs: Number(values['election-ms']) }),
});

function tell(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function answer(line: string): Promise<unknown> {
  try {
    return await runOrder(set, JSON.parse(line));
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_ORDER_BYTES) break;
  }
  const text = JSON.stringify(await answer(body === '' ? '{"order":"status"}' : body));
  response.setHeader('content-type', 'application/json').end(text);
}

let controlPort: number | undefined;
if (values['control-port'] !== undefined) {
  const control = createServer((request, response) => {
    answerHttp(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    control.listen(Number(values['control-port']), '127.0.0.1', resolve);
  });
  const address = control.address();
  controlPort = typeof address === 'object' && address !== null ? address.port : undefined;
}

async function end(): Promise<void> {
  await set.close();
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
tell({ uri: set.uri, controlPort });

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line.trim() === '') return;
  void answer(line).then(tell);
});
