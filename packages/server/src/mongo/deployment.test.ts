import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type Deployment, whenDiscovered } from './deployment.ts';

/** Each description is one of the servers that it has: their types, and their set's name. */
function discover(...descriptions: readonly (readonly object[])[]): Deployment[] {
  const client = new EventEmitter();
  const told: Deployment[] = [];
  whenDiscovered(client as never, (deployment) => told.push(deployment));
  for (const servers of descriptions) {
    const newDescription = { servers: new Map(servers.map((server, i) => [`h${i}`, server])) };
    client.emit('topologyDescriptionChanged', { newDescription });
  }
  return told;
}

const UNKNOWN = { type: 'Unknown', setName: null };

describe('whenDiscovered', () => {
  it('tells of a replica set once, as soon as one member has answered', () => {
    const member = { type: 'RSSecondary', setName: 'rs0' };
    expect(discover([UNKNOWN, UNKNOWN], [UNKNOWN, member], [member, member])).toEqual([
      { kind: 'replica set', setName: 'rs0' },
    ]);
  });

  it.each([
    [{ type: 'Mongos', setName: null }, 'sharded cluster'],
    [{ type: 'LoadBalancer', setName: null }, 'sharded cluster'],
    [{ type: 'Standalone', setName: null }, 'standalone server'],
  ])('knows %j', (server, kind) => {
    expect(discover([server])).toEqual([{ kind }]);
  });

  it('says nothing while nobody answers', () => {
    expect(discover([], [UNKNOWN])).toEqual([]);
  });
});
