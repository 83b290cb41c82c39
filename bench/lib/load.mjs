// One timed load on a URL: by wrk where it is installed (it takes little of the processors that the
// measured programs need), else by autocannon.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';

export const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

/** The id of the n-th preloaded document: 24 hex digits, an ObjectId. */
export const documentId = (n) => n.toString(16).padStart(24, '0');

/**
 * @param {{ url: string, seconds: number, connections: number, ids?: number, method?: string, body?: string, headers?: Record<string, string> }} load
 *   `ids`: append `/<id>` with an id drawn from the first so many preloaded documents
 * @returns {Promise<{ requestsPerSecond: number, p50Ms: number, p99Ms: number, failed: number }>}
 */
export function runLoad(load) {
  return hasWrk ? runWrk(load) : runAutocannon(load);
}

async function runWrk({ url, seconds, connections, ids, method = 'GET', body, headers = {} }) {
  const { origin, pathname, search } = new URL(url);
  const lines = [
    `wrk.method = ${JSON.stringify(method)}`,
    ...Object.entries(headers).map(
      ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    ),
    body === undefined ? '' : `wrk.body = ${JSON.stringify(body)}`,
    ids === undefined
      ? ''
      : `request = function() return wrk.format(nil, string.format(${JSON.stringify(`${pathname}/%024x${search}`)}, math.random(0, ${ids - 1}))) end`,
    `done = function(summary, latency) io.write(string.format('RESULT {"requests":%d,"duration":%d,"p50":%d,"p99":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
      summary.errors.connect, summary.errors.read, summary.errors.write, summary.errors.timeout)) end`,
  ];
  const script = join(mkdtempSync(join(tmpdir(), 'quorate-bench-')), 'load.lua');
  writeFileSync(script, lines.join('\n'));
  const child = spawn('wrk', [
    '-t',
    '1',
    '-c',
    String(connections),
    '--timeout',
    '30s',
    '-d',
    `${seconds}s`,
    '-s',
    script,
    `${origin}${pathname}${search}`,
  ]);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  const result = JSON.parse(/RESULT (.*)/.exec(output)?.[1] ?? '{}');
  return {
    requestsPerSecond: result.requests / (result.duration / 1e6),
    p50Ms: result.p50 / 1000,
    p99Ms: result.p99 / 1000,
    failed: result.status + result.connect + result.read + result.write + result.timeout,
  };
}

async function runAutocannon({ url, seconds, connections, ids, method = 'GET', body, headers }) {
  const base = new URL(url);
  const requests = [
    {
      method,
      ...(body === undefined ? {} : { body }),
      ...(ids === undefined
        ? {}
        : {
            setupRequest: (request) => ({
              ...request,
              path: `${base.pathname}/${documentId(Math.floor(Math.random() * ids))}${base.search}`,
            }),
          }),
    },
  ];
  const result = await autocannon({ url, connections, duration: seconds, headers, requests });
  return {
    requestsPerSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx,
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
