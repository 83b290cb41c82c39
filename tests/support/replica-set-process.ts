/** The rehearsed replica set in a process of its own, ordered through its control port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../packages/engine/dist/testing/main.js');

export interface SetState {
  readonly primary?: number;
  readonly members: readonly {
    readonly index: number;
    readonly address: string;
    readonly role: string;
  }[];
}

/** Three members; they fail one by one, as they are told. */
export class ReplicaSetProcess {
  readonly uri: string;
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly controlUrl: string;
  private readonly folder: string;

  private constructor(child: ChildProcess, folder: string, uri: string, controlPort: number) {
    this.child = child;
    this.pid = child.pid ?? -1;
    this.folder = folder;
    this.uri = uri;
    this.controlUrl = `http://127.0.0.1:${controlPort}`;
  }

  static start(): Promise<ReplicaSetProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-set-'));
    const args = [MAIN, '--data', folder, '--control-port', '0'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    return new Promise((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const [line, rest] = text.split('\n');
        if (rest === undefined) return;
        const { uri, controlPort } = JSON.parse(line ?? '') as { uri: string; controlPort: number };
        resolve(new ReplicaSetProcess(child, folder, uri, controlPort));
      });
      child.once('exit', (code) => reject(new Error(`the replica set ended with ${code}`)));
    });
  }

  /** One order of the control protocol. */
  async order(order: string, member?: number, ms?: number): Promise<SetState> {
    const reply = await fetch(this.controlUrl, {
      method: 'POST',
      body: JSON.stringify({ order, ...(member !== undefined && { member }), ms }),
    });
    const state = (await reply.json()) as SetState & { ok: boolean; error?: string };
    if (!state.ok) throw new Error(`${order}: ${state.error}`);
    return state;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
