// Start of engine and node to the first answer, and the memory of one node with the engine at rest.
import { median } from './lib/load.mjs';
import { memoryMb, startNode } from './lib/processes.mjs';

export async function benchStart({ short }) {
  const starts = [];
  const memory = [];
  for (let round = 0; round < (short ? 3 : 7); round += 1) {
    const node = await startNode();
    starts.push(node.startMs);
    await fetch(`${node.url}/bench`, { method: 'PUT' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    memory.push(memoryMb(node.pid));
    await node.stop();
  }
  const startMs = median(starts);
  const memoryAtRest = median(memory);
  return [
    {
      name: 'start of engine and node to the first answer',
      value: `${(startMs / 1000).toFixed(2)} s`,
      target: '<= 1.0 s',
      met: startMs <= 1000,
      note: `${Math.round(Math.min(...starts))} to ${Math.round(Math.max(...starts))} ms`,
    },
    {
      name: 'idle memory of one node with engine',
      value: `${Math.round(memoryAtRest)} MB`,
      target: '<= 150 MB',
      met: memoryAtRest <= 150,
    },
  ];
}
