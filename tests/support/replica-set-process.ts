/** The rehearsed replica set in a process of its own, ordered line by line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../packages/engine/dist/testing/main.js');

type Lines = AsyncIterator<string, unknown>;

export interface SetState {
  readonly primary?: number;
  readonly members: readonly {
    readonly index: number;
    readonly address: string;
    readonly role: string;
  }[];
}

export interface ReplicaSetProcessOptions {
  /** What to start it with: the entry into a network namespace. */
  readonly launcher?: readonly string[];
  /** Addresses to listen on, one a member. */
  readonly hosts?: readonly string[];
  readonly ports?: readonly number[];
  /** Where clients are sent to, `host:port` of each member. */
  readonly advertised?: readonly string[];
}

/** Three members; they fail one by one, as they are told. */
export class ReplicaSetProcess {
  readonly uri: string;
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly answers: Lines;
  private readonly folder: string;
  private ordered: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, folder: string, uri: string, answers: Lines) {
    this.child = child;
    this.pid = child.pid ?? -1;
    this.folder = folder;
    this.uri = uri;
    this.answers = answers;
  }

  static async start(options: ReplicaSetProcessOptions = {}): Promise<ReplicaSetProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-set-'));
    const lists = (['hosts', 'ports', 'advertised'] as const).flatMap((name) => {
      const list = options[name];
      return list === undefined ? [] : [`--${name}`, list.join(',')];
    });
    const [program = '', ...args] = [
      ...(options.launcher ?? []),
      process.execPath,
      MAIN,
      ...['--data', folder, ...lists],
    ];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await answers.next();
    if (first.done === true) throw new Error('the replica set has ended');
    const { uri } = JSON.parse(first.value) as { uri: string };
    return new ReplicaSetProcess(child, folder, uri, answers);
  }

  /** One order of the control protocol; they are carried out one after another. */
  order(order: string, member?: number, ms?: number): Promise<SetState> {
    const answer = this.ordered.then(async () => {
      const line = JSON.stringify({ order, ...(member !== undefined && { member }), ms });
      this.child.stdin?.write(`${line}\n`);
      const { done, value } = await this.answers.next();
      if (done === true) throw new Error(`${order}: the replica set has ended`);
      const state = JSON.parse(value) as SetState & { ok: boolean; error?: string };
      if (!state.ok) throw new Error(`${order}: ${state.error}`);
      return state;
    });
    this.ordered = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
