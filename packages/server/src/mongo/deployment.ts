/** What kind of deployment the driver has found (MongoDB's specification "Server Discovery and Monitoring"). */
import type { MongoClient, TopologyDescription } from 'mongodb';

/** Only what decides which features work. */
export type Deployment =
  | { readonly kind: 'replica set'; readonly setName: string }
  | { readonly kind: 'sharded cluster' }
  | { readonly kind: 'standalone server' };

/**
 * Calls back once, as soon as the driver has reached a server: at once, or whenever the database comes.
 *
 * @param client - not yet connected, or on its way
 */
export function whenDiscovered(
  client: Pick<MongoClient, 'on' | 'off'>,
  tell: (deployment: Deployment) => void,
): void {
  const listener = (event: { readonly newDescription: TopologyDescription }): void => {
    const deployment = describeDeployment(event.newDescription);
    if (deployment === undefined) return;
    client.off('topologyDescriptionChanged', listener);
    tell(deployment);
  };
  client.on('topologyDescriptionChanged', listener);
}

/** Undefined: no server has answered yet. */
function describeDeployment(topology: TopologyDescription): Deployment | undefined {
  for (const server of topology.servers.values()) {
    if (server.type === 'Unknown') continue;
    // a direct connection is of type Single, also to a member of a set
    if (typeof server.setName === 'string') return { kind: 'replica set', setName: server.setName };
    if (server.type === 'Mongos' || server.type === 'LoadBalancer')
      return { kind: 'sharded cluster' };
    return { kind: 'standalone server' };
  }
  return undefined;
}
