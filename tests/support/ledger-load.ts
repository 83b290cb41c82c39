/**
 * Mixed load that keeps books: what was acknowledged must be there exactly once, what was not at most once. GET, POST with
 * an Idempotency-Key, PATCH with an ETag; who gets no answer, or 503, asks again as a careful client does.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { ask, BASIC, pause } from './cluster.ts';

const COLLECTION = '/ledger/entries';
const COUNTERS = '/ledger/counters';
/** Which client gives up, and when: longer than any failure that is rehearsed. */
const GIVE_UP_MS = 30_000;

/** One answer, or none (status 0). */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LoadOptions {
  /** Clients take them in turn: one balancer, or the nodes themselves. */
  readonly urls: readonly string[];
  readonly clients: number;
  readonly authorization?: string;
  /** PATCH carries an Idempotency-Key too. */
  readonly isKeyed?: boolean;
  /** Pause of each client between two requests, milliseconds. */
  readonly thinkMs?: number;
}

/** What came of a load. */
export interface LoadReport {
  readonly requests: number;
  /** Answers by status; 0: the connection broke. Repeated requests count each time. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Answers that no client may get: neither success nor 503 with Retry-After nor a cut (of which balancers make 502 and 504). */
  readonly wrong: readonly string[];
  /** Operations that never succeeded, however often they were repeated, each with its last answers. */
  readonly givenUp: readonly string[];
  /** Successful requests in each tenth of a second since the start. */
  readonly perTenth: readonly number[];
}

/** What the database says about the books. */
export interface Audit {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Counters that differ from their acknowledged increments. */
  readonly miscounted: readonly string[];
}

/** Runs clients from `start` to `stop`. */
export class LedgerLoad {
  private readonly options: LoadOptions;
  /** Keys are of this run alone: those of another would be answered with its replies. */
  private readonly run = randomUUID().slice(0, 8);
  /** Pause of each client between two requests from now on, milliseconds; 0 is none. */
  thinkMs: number;
  private readonly agent: Agent;
  private readonly statuses: Record<number, number> = {};
  private readonly wrong: string[] = [];
  private readonly perTenth: number[] = [];
  private readonly posted = new Set<string>();
  private readonly counts: number[] = [];
  private requests = 0;
  private readonly givenUp: string[] = [];
  private startedAtMs = 0;
  private isStopping = false;
  private running: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.options = options;
    this.thinkMs = options.thinkMs ?? 0;
    this.agent = new Agent({ keepAlive: true, maxSockets: options.clients * 2 });
  }

  get requestCount(): number {
    return this.requests;
  }

  /** What `perTenth` is counted from. */
  get startTimeMs(): number {
    return this.startedAtMs;
  }

  /** Makes the collections and each client's counter, then lets the clients go. */
  async start(): Promise<void> {
    const [url = ''] = this.options.urls;
    for (const path of ['/ledger', COLLECTION, COUNTERS]) await ask(url, path, { method: 'PUT' });
    this.startedAtMs = Date.now();
    this.running = Array.from({ length: this.options.clients }, (_, n) => this.runClient(n));
  }

  async stop(): Promise<LoadReport> {
    this.isStopping = true;
    await Promise.all(this.running);
    this.agent.destroy();
    const { requests, statuses, wrong, givenUp, perTenth } = this;
    return { requests, statuses, wrong, givenUp, perTenth: Array.from(perTenth, (n) => n ?? 0) };
  }

  /** Compares the books with the collection at `url`. */
  async audit(url: string): Promise<Audit> {
    const copies = new Map<string, number>();
    for (let page = 1; ; page += 1) {
      const reply = await ask(url, `${COLLECTION}?pagesize=1000&page=${page}&keys={"key":1}`);
      const documents = JSON.parse(reply.text) as { key: string }[];
      for (const { key } of documents) copies.set(key, (copies.get(key) ?? 0) + 1);
      if (documents.length < 1000) break;
    }
    const miscounted: string[] = [];
    for (const [n, expected] of this.counts.entries()) {
      const found = JSON.parse((await ask(url, `${COUNTERS}/c${n}`)).text) as { n: number };
      if (found.n !== expected) miscounted.push(`c${n}: ${found.n} instead of ${expected}`);
    }
    return {
      acknowledged: this.posted.size,
      lost: [...this.posted].filter((key) => !copies.has(key)),
      doubled: [...copies].flatMap(([key, count]) => (count > 1 ? [key] : [])),
      miscounted,
    };
  }

  private async runClient(n: number): Promise<void> {
    let etag = await this.openCounter(n);
    for (let i = 0; !this.isStopping; i += 1) {
      const kind = i % 4;
      if (kind === 0) await this.post(`${this.run}-${n}-${i}`);
      else if (kind === 2) etag = await this.increment(n, etag);
      else await this.get(kind === 1 ? `${COUNTERS}/c${n}` : `${COLLECTION}?pagesize=5`);
      if (this.thinkMs > 0) await pause(this.thinkMs);
    }
  }

  private async openCounter(n: number): Promise<string> {
    this.counts[n] = 0;
    const made = await this.untilDone(n, 'PUT', `${COUNTERS}/c${n}?wm=upsert`, { body: '{"n":0}' });
    return String(made?.headers['etag'] ?? '');
  }

  private async get(path: string): Promise<void> {
    await this.untilDone(0, 'GET', path, {});
  }

  private async post(key: string): Promise<void> {
    const answer = await this.untilDone(0, 'POST', COLLECTION, {
      body: JSON.stringify({ key }),
      headers: { 'Idempotency-Key': key },
    });
    if (answer !== undefined) this.posted.add(key);
  }

  /** An increment under the ETag; what became of one that was not answered is read from the document. */
  private async increment(n: number, etag: string): Promise<string> {
    const path = `${COUNTERS}/c${n}`;
    const expected = (this.counts[n] ?? 0) + 1;
    const answers: Answer[] = [];
    for (const until = Date.now() + GIVE_UP_MS; Date.now() < until; ) {
      const answer = await this.send(n, 'PATCH', path, {
        body: '{"$inc":{"n":1}}',
        headers: {
          'If-Match': etag,
          ...(this.options.isKeyed && {
            'Idempotency-Key': `${this.run}-counter-${n}-${expected}`,
          }),
        },
      });
      answers.push(answer);
      if (answer.status === 200) {
        this.counts[n] = expected;
        return String(answer.headers['etag'] ?? '');
      }
      if (!isRepeatable(answer)) return this.note('PATCH', path, answer, etag);
      await pause(50);
      const now = await this.untilDone(n, 'GET', path, {});
      if (now === undefined) break;
      const stored = JSON.parse(now.body) as { n: number; _etag: { $oid: string } };
      if (stored.n === expected) {
        this.counts[n] = expected;
        return stored._etag.$oid;
      }
    }
    this.giveUp('PATCH', path, answers);
    return etag;
  }

  private giveUp(method: string, path: string, answers: readonly Answer[]): void {
    const last = answers.slice(-3).map(({ status, body }) => `${status} ${body.slice(0, 100)}`);
    const sinceMs = Date.now() - this.startedAtMs;
    this.givenUp.push(`${method} ${path}, ${answers.length} times until ${sinceMs} ms: ${last}`);
  }

  private note(method: string, path: string, answer: Answer, etag: string): string {
    this.wrong.push(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 200)}`);
    return etag;
  }

  /** Repeats a request until it is answered; undefined when that never happened, or the answer was wrong. */
  private async untilDone(
    n: number,
    method: string,
    path: string,
    options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Answer | undefined> {
    const answers: Answer[] = [];
    for (const until = Date.now() + GIVE_UP_MS; Date.now() < until; ) {
      const answer = await this.send(n, method, path, options);
      answers.push(answer);
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (!isRepeatable(answer)) {
        this.note(method, path, answer, '');
        return undefined;
      }
      await pause(50);
    }
    this.giveUp(method, path, answers);
    return undefined;
  }

  private async send(
    n: number,
    method: string,
    path: string,
    {
      body,
      headers = {},
    }: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    const { urls, authorization = BASIC } = this.options;
    const url = urls[(n + this.requests) % urls.length] ?? '';
    this.requests += 1;
    const answer = await new Promise<Answer>((resolve) => {
      const request = httpRequest(
        `${url}${path}`,
        {
          method,
          agent: this.agent,
          timeout: GIVE_UP_MS,
          headers: {
            Authorization: authorization,
            ...(body === undefined
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
            ...headers,
          },
        },
        (reply) => {
          let text = '';
          reply.setEncoding('utf8');
          reply.on('data', (chunk: string) => {
            text += chunk;
          });
          reply.once('end', () =>
            resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: text }),
          );
          reply.once('error', (error) => resolve(cut(error)));
        },
      );
      request.once('error', (error) => resolve(cut(error)));
      request.once('timeout', () => request.destroy(new Error('no answer')));
      request.end(body);
    });
    this.statuses[answer.status] = (this.statuses[answer.status] ?? 0) + 1;
    if (answer.status >= 200 && answer.status < 300) {
      const tenth = Math.floor((Date.now() - this.startedAtMs) / 100);
      this.perTenth[tenth] = (this.perTenth[tenth] ?? 0) + 1;
    }
    return answer;
  }
}

function cut(error: Error): Answer {
  return { status: 0, headers: {}, body: String(error) };
}

/** No answer, a balancer's word that there was none, or one that says when to come back. */
function isRepeatable({ status, headers }: Answer): boolean {
  const isCut = status === 0 || status === 502 || status === 504;
  return isCut || (status === 503 && headers['retry-after'] !== undefined);
}
