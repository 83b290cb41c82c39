/**
 * A network of its own for each node and for the database, joined by virtual cables (veth) that can be cut: packets vanish, as
 * they do in a partition, instead of being refused. Needs root and the kernel's network namespaces (Linux, `ip` of iproute2).
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** Why partitions cannot be made here; undefined where they can. */
export function whyNoPartitions(): string | undefined {
  if (process.platform !== 'linux') return 'needs network namespaces of Linux';
  const probe = `quorate-probe-${randomBytes(3).toString('hex')}`;
  const { status, error, stderr } = spawnSync('ip', ['netns', 'add', probe]);
  if (error !== undefined) return 'needs ip of iproute2';
  if (status !== 0) return `may not make network namespaces: ${stderr.toString().trim()}`;
  const rule = ['-n', probe, 'rule', 'add', 'from', '10.0.0.1', 'to', '10.0.0.2', 'blackhole'];
  const ruled = spawnSync('ip', rule);
  spawnSync('ip', ['netns', 'del', probe]);
  return ruled.status === 0 ? undefined : 'the kernel has no routing rules';
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.toString()}`);
}

/** One namespace for the database with an address for each member, one for each node; the tests reach the nodes. */
export class PartitionedNetwork {
  /** Of the members, as every node sees them. */
  readonly memberAddresses: readonly string[];
  private readonly prefix = `q${randomBytes(3).toString('hex')}`;
  // a private range that differs between runs side by side
  private readonly range = `10.${200 + ((randomBytes(1)[0] ?? 0) % 50)}`;
  private readonly second = randomBytes(1)[0] ?? 0;
  private readonly nodeCount: number;
  private readonly cuts = new Set<string>();

  /** @throws where `whyNoPartitions` gives a reason */
  constructor(nodeCount: number, memberCount: number) {
    this.nodeCount = nodeCount;
    this.memberAddresses = Array.from({ length: memberCount }, (_, m) => `10.99.0.${m + 1}`);
    try {
      this.open();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** How to start a program beside the members. */
  get databaseLauncher(): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.prefix}-db`];
  }

  /** How to start a program in the network of a node. */
  nodeLauncher(node: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.nodeSpace(node)];
  }

  /** Where the tests, and clients, reach the node. */
  nodeAddress(node: number): string {
    return `${this.testNet(node)}.2`;
  }

  /** From now on nothing that a member sends arrives at the node. */
  cut(node: number, member: number): void {
    const key = `${node} ${member}`;
    if (this.cuts.has(key)) return;
    this.cuts.add(key);
    ip('-n', `${this.prefix}-db`, 'rule', 'add', ...this.ruleOf(node, member));
  }

  /** Undoes every cut. */
  heal(): void {
    for (const key of this.cuts) {
      const [node = 0, member = 0] = key.split(' ').map(Number);
      ip('-n', `${this.prefix}-db`, 'rule', 'del', ...this.ruleOf(node, member));
    }
    this.cuts.clear();
  }

  /** Takes all of it down; what runs in it must have ended. */
  close(): void {
    for (let node = 0; node < this.nodeCount; node += 1)
      spawnSync('ip', ['netns', 'del', this.nodeSpace(node)]);
    spawnSync('ip', ['netns', 'del', `${this.prefix}-db`]);
  }

  private open(): void {
    const database = `${this.prefix}-db`;
    ip('netns', 'add', database);
    ip('-n', database, 'link', 'set', 'lo', 'up');
    for (const address of this.memberAddresses)
      ip('-n', database, 'addr', 'add', `${address}/32`, 'dev', 'lo');
    for (let node = 0; node < this.nodeCount; node += 1) {
      const space = this.nodeSpace(node);
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
      // to the database
      const net = `10.98.${node}`;
      ip(
        'link',
        'add',
        'db',
        'netns',
        space,
        'type',
        'veth',
        'peer',
        'name',
        `n${node}`,
        'netns',
        database,
      );
      ip('-n', space, 'addr', 'add', `${net}.2/30`, 'dev', 'db');
      ip('-n', space, 'link', 'set', 'db', 'up');
      ip('-n', database, 'addr', 'add', `${net}.1/30`, 'dev', `n${node}`);
      ip('-n', database, 'link', 'set', `n${node}`, 'up');
      ip('-n', space, 'route', 'add', '10.99.0.0/24', 'via', `${net}.1`);
      // to the tests
      const outside = `${this.prefix}n${node}`;
      ip('link', 'add', 'out', 'netns', space, 'type', 'veth', 'peer', 'name', outside);
      ip('-n', space, 'addr', 'add', `${this.testNet(node)}.2/30`, 'dev', 'out');
      ip('-n', space, 'link', 'set', 'out', 'up');
      ip('addr', 'add', `${this.testNet(node)}.1/30`, 'dev', outside);
      ip('link', 'set', outside, 'up');
    }
  }

  private ruleOf(node: number, member: number): readonly string[] {
    return ['from', this.memberAddresses[member] ?? '', 'to', `10.98.${node}.2`, 'blackhole'];
  }

  private nodeSpace(node: number): string {
    return `${this.prefix}-n${node}`;
  }

  private testNet(node: number): string {
    return `${this.range}.${(this.second + node) % 256}`;
  }
}
