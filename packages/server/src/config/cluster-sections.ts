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
      'connections to each member of the database that all nodes together may open; a node takes its share when it starts, unless the URI has a maxPoolSize, and warns when the share has become smaller; 0 is none',
      { min: 0 },
    ),
    'pool-nodes': int(
      0,
      'nodes that the budget is divided by at least, such as the most that an autoscaler starts; 0 is those that live at the start',
      { min: 0 },
    ),
  }),
} as const;
