/** Settings of what makes several processes one cluster; none of them exists in RESTHeart. */
import { int, plugin, text } from './key.ts';

export const CLUSTER_SECTIONS = {
  health: plugin(true, 'State of this node, for balancers and kubelets (Quorate)', {
    uri: text('/health', 'path above live, ready and startup'),
    'timeout-ms': int(2000, 'longest wait for the database', { unit: 'ms', min: 1 }),
  }),
  cluster: plugin(true, 'The nodes that share the database, for administrators (Quorate)', {
    uri: text('/cluster', 'path'),
    'heartbeat-interval': int(5000, 'between two heartbeats; three missed ones are death', {
      unit: 'ms',
      min: 100,
    }),
    'pool-budget': int(
      0,
      'connections to the database that all nodes together may open; warns when maxPoolSize is above the share; 0 is none',
      { min: 0 },
    ),
  }),
} as const;
