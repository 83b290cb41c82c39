import { MongoClient } from 'mongodb';
import { simulateRegistry } from '../lib/registry-simulation.ts';
import { type Extent, processorSeconds, type Row, withCluster } from './measure.ts';

/** Two hundred registered nodes: what their heartbeats and lists cost the database. */
export async function benchRegistry({ isShort }: Extent): Promise<Row[]> {
  return withCluster({ nodes: 0 }, async (cluster) => {
    const client = await new MongoClient(cluster.engine.uri).connect();
    const rows: Row[] = [];
    // the first operations of a fresh database are no measure
    await simulateRegistry(client, { nodes: 20, beats: 20 });
    for (const count of isShort ? [10, 200] : [10, 50, 200]) {
      const before = processorSeconds(cluster.engine.pid);
      const result = await simulateRegistry(client, { nodes: count, beats: isShort ? 12 : 24 });
      const used = processorSeconds(cluster.engine.pid) - before;
      rows.push({
        name: `registry of ${count} nodes: processor time of the database for a heartbeat`,
        value: `${((used / result.beats) * 1e6).toFixed(0)} us`,
        note: `${result.documentsRead} entries read in ${result.beats} heartbeats; every node saw ${result.seen}; at one in 5 s: ${((((used / result.beats) * count) / 5) * 100).toFixed(1)} % of a core`,
      });
    }
    await client.close();
    return rows;
  });
}
