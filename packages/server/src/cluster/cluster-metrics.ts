import type { MetricsRegistry } from '../observe/metrics.ts';
import type { Membership } from './membership.ts';

/** What alerts are made of: nodes by state, drift, skew, pool and event loop of this node. */
export function createClusterRegistry(membership: Membership): MetricsRegistry {
  return {
    name: '/cluster',
    print() {
      const { own, view } = membership;
      const lines: string[] = [];
      const gauge = (name: string, value: number, labels = ''): void => {
        lines.push(`# TYPE ${name} gauge`, `${name}${labels} ${value}`);
      };
      if (view !== undefined) {
        lines.push('# TYPE quorate_nodes gauge');
        for (const state of ['starting', 'ready', 'unready', 'draining']) {
          const count = view.nodes.filter((node) => node.state === state).length;
          lines.push(`quorate_nodes{state="${state}"} ${count}`);
        }
        lines.push('# TYPE quorate_cluster_drift gauge');
        for (const subject of ['version', 'configuration', 'key'] as const) {
          const isDifferent = view.drift.includes(subject) ? 1 : 0;
          lines.push(`quorate_cluster_drift{subject="${subject}"} ${isDifferent}`);
        }
        gauge('quorate_skewed_nodes', view.skewed.length);
        if (view.poolBudget !== undefined) gauge('quorate_pool_budget', view.poolBudget);
      }
      if (own !== undefined) {
        const labels = `{instance_name="${own.name.replaceAll(/["\\\n]/g, '_')}",node="${own.id}"}`;
        gauge('quorate_pool_in_use', own.poolInUse, labels);
        gauge('quorate_pool_size', own.poolSize, labels);
        gauge('quorate_event_loop_delay_seconds', own.eventLoopDelayMs / 1000, labels);
        gauge('quorate_clock_skew_seconds', own.clockSkewMs / 1000, labels);
        gauge('quorate_requests_in_flight', own.requestsInFlight, labels);
      }
      return `${lines.join('\n')}\n`;
    },
  };
}
