// The same load on two servers in turns, so that what else the machine does meets both alike.
import { median, runLoad } from './load.mjs';

/**
 * @param {Record<'bare' | 'node', { url: string }>} servers
 * @param {{ path: string } & Omit<Parameters<typeof runLoad>[0], 'url' | 'seconds'>} load
 * @param {{ rounds: number, seconds: number, after?: () => Promise<unknown> }} plan `after`: called when a round is over; a
 *   round that warms up goes before all others
 */
export async function runSideBySide(servers, { path, ...load }, { rounds, seconds, after }) {
  const results = { bare: [], node: [] };
  const failed = { bare: 0, node: 0 };
  for (let round = -1; round < rounds; round += 1) {
    for (const key of ['bare', 'node']) {
      const url = servers[key].url + path;
      const result = await runLoad({ ...load, url, seconds: round < 0 ? 1 : seconds });
      failed[key] += result.failed;
      if (round >= 0) results[key].push(result);
    }
    await after?.();
  }
  return { results, failed };
}

/** The row of a comparison: how many requests of the node go on one of the bare loop. */
export function toRatioRow(name, target, { results, failed }) {
  const ratios = results.node.map(
    (result, i) => result.requestsPerSecond / results.bare[i].requestsPerSecond,
  );
  const ratio = median(ratios);
  const rate = (key) => Math.round(median(results[key].map((result) => result.requestsPerSecond)));
  const failures =
    failed.node + failed.bare > 0 ? `; ${failed.node} failed, ${failed.bare} of the bare loop` : '';
  return {
    name,
    value: `${ratio.toFixed(2)}x`,
    target: `>= ${target.toFixed(1)}x`,
    met: ratio >= target && failed.node === 0,
    note: `${rate('node')} against ${rate('bare')} requests/s; ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}${failures}`,
  };
}
