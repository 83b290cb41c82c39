/**
 * No request ever sees or changes a document outside its read or write filter: random rules, random requests, each
 * document judged by a naive evaluator of the filters (security.md §8.6).
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bearer } from '../support/jwt.ts';
import { ask, command, MONGO_SECURITY } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

interface Doc {
  readonly _id: string;
  readonly owner: string;
  readonly a: number;
  readonly b?: number;
  readonly n?: number;
}

/** A filter as JSON, and its meaning. */
interface Filter {
  readonly json: object;
  readonly holds: (doc: Doc) => boolean;
}

const DOCUMENTS = 100;
const RULES = 45;
const REQUESTS = 16;
const SEED = Number(process.env['MATRIX_SEED'] ?? Date.now() % 1_000_000);

const number = fc.integer({ min: 0, max: 3 });
const simple: fc.Arbitrary<Filter> = fc.oneof(
  number.map((n) => ({ json: { a: n }, holds: (doc: Doc) => doc.a === n })),
  number.map((n) => ({ json: { b: { $gt: n } }, holds: (doc: Doc) => (doc.b ?? -1) > n })),
  number.map((n) => ({ json: { a: { $ne: n } }, holds: (doc: Doc) => doc.a !== n })),
  fc.array(number, { maxLength: 3 }).map((list) => ({
    json: { a: { $in: list } },
    holds: (doc: Doc) => list.includes(doc.a),
  })),
  fc.boolean().map((is) => ({
    json: { b: { $exists: is } },
    holds: (doc: Doc) => (doc.b !== undefined) === is,
  })),
);
const clientFilter: fc.Arbitrary<Filter> = fc.letrec<{ node: Filter }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    simple,
    fc.tuple(tie('node'), tie('node')).map(([one, two]) => ({
      json: { $and: [one.json, two.json] },
      holds: (doc: Doc) => one.holds(doc) && two.holds(doc),
    })),
    fc.tuple(tie('node'), tie('node')).map(([one, two]) => ({
      json: { $or: [one.json, two.json] },
      holds: (doc: Doc) => one.holds(doc) || two.holds(doc),
    })),
    tie('node').map((one) => ({
      json: { $nor: [one.json] },
      holds: (doc: Doc) => !one.holds(doc),
    })),
  ),
})).node;
/** What a rule may say besides: the account's own documents. */
const ruleFilter: fc.Arbitrary<Filter> = fc.oneof(
  fc.constantFrom('%USER', '@user.sub').map((text) => ({
    json: { owner: text },
    holds: (doc: Doc) => doc.owner === 'u',
  })),
  clientFilter,
  fc.tuple(clientFilter, fc.constant(0)).map(([one]) => ({
    json: { _$or: [one.json, { owner: '@user.sub' }] },
    holds: (doc: Doc) => one.holds(doc) || doc.owner === 'u',
  })),
);

const documents: fc.Arbitrary<Doc[]> = fc
  .array(
    fc.record({
      owner: fc.constantFrom('u', 'v'),
      a: number,
      b: fc.option(number, { nil: undefined }),
    }),
    { minLength: DOCUMENTS, maxLength: DOCUMENTS },
  )
  .map((list) =>
    list.map(({ b, ...doc }, i) => ({ _id: `d${i}`, ...doc, ...(b === undefined ? {} : { b }) })),
  );

const step = fc.record({
  kind: fc.constantFrom(
    'page',
    'count',
    'one',
    'hal',
    'patch',
    'put',
    'delete',
    'post',
    'patchMany',
    'deleteMany',
    'postMany',
  ),
  filter: clientFilter,
  id: fc.integer({ min: 0, max: DOCUMENTS - 1 }).map((n) => `d${n}`),
  wm: fc.constantFrom('', '&wm=upsert', '&wm=update', '&wm=insert'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let target: Target;
beforeAll(async () => {
  target = await openTarget(ALL_DATABASES, MONGO_SECURITY);
  await command(target.baseUrl, 'PUT /matrix');
});
afterAll(() => target.close());

const json = (body: Buffer) => JSON.parse(body.toString() || 'null');
const idsOf = (list: readonly Doc[]) => list.map(({ _id }) => _id).sort();

async function stored(collection: string): Promise<Map<string, Doc>> {
  const reply = await command(target.baseUrl, `GET /matrix/${collection}?pagesize=1000`);
  return new Map((json(reply.body) as Doc[]).map((doc) => [doc._id, doc]));
}

function requestOf(collection: string, { kind, filter, id, wm }: Step): string {
  const query = `filter=${encodeURIComponent(JSON.stringify(filter.json))}`;
  const base = `/matrix/${collection}`;
  switch (kind) {
    case 'page':
      return `GET ${base}?pagesize=1000&${query}`;
    case 'hal':
      return `GET ${base}?pagesize=1000&rep=SHAL&${query}`;
    case 'count':
      return `GET ${base}/_size?${query}`;
    case 'one':
      return `GET ${base}/${id}`;
    case 'patch':
      return `PATCH ${base}/${id}?x${wm} {"$inc":{"n":1}}`;
    case 'put':
      return `PUT ${base}/${id}?x${wm} {"owner":"u","a":0,"n":7}`;
    case 'delete':
      return `DELETE ${base}/${id}`;
    case 'post':
      return `POST ${base}?x${wm} {"_id":"${id}","owner":"u","a":1,"n":8}`;
    case 'postMany':
      return `POST ${base}?x${wm} [{"_id":"${id}","owner":"u","a":1,"n":9},{"_id":"d0","owner":"u","a":1,"n":9}]`;
    case 'patchMany':
      return `PATCH ${base}/*?${query} {"$inc":{"n":1}}`;
    case 'deleteMany':
      return `DELETE ${base}/*?${query}`;
  }
}

/** What a read may show: exactly the documents within both filters. */
function checkRead(
  kind: Step['kind'],
  body: Buffer,
  status: number,
  visible: readonly Doc[],
  id: string,
): void {
  if (kind === 'page' || kind === 'hal') {
    const shown = kind === 'page' ? json(body) : (json(body)._embedded ?? []);
    expect(idsOf(shown)).toEqual(idsOf(visible));
  } else if (kind === 'count') {
    expect(json(body)).toMatchObject({ _size: visible.length });
  } else {
    expect(status).toBe(visible.some(({ _id }) => _id === id) ? 200 : 404);
  }
}

const READS: ReadonlySet<string> = new Set(['page', 'hal', 'count', 'one']);

it(`no request sees or changes what is outside its filters (seed ${SEED})`, async () => {
  const cases = fc.sample(
    fc.record({
      read: ruleFilter,
      write: ruleFilter,
      documents,
      steps: fc.array(step, { minLength: REQUESTS, maxLength: REQUESTS }),
    }),
    { seed: SEED, numRuns: RULES },
  );
  let judged = 0;
  for (const [i, { read, write, documents: list, steps }] of cases.entries()) {
    const collection = `c${i}`;
    await command(target.baseUrl, `PUT /matrix/${collection}`);
    await command(target.baseUrl, `POST /matrix/${collection} ${JSON.stringify(list)}`);
    const rule = {
      _id: `matrix-${i}`,
      roles: [`matrix-${i}`],
      predicate: `path-prefix('/matrix/${collection}')`,
      mongo: {
        readFilter: read.json,
        writeFilter: write.json,
        allowBulkPatch: true,
        allowBulkDelete: true,
        allowWriteMode: true,
      },
    };
    await command(target.baseUrl, `POST /restheart/acl ${JSON.stringify(rule)}`);
    const Authorization = bearer('u', [`matrix-${i}`]);
    let before = await stored(collection);
    for (const one of steps) {
      const text = requestOf(collection, one);
      const reply = await ask(target.baseUrl, text, { Authorization });
      const seen = `seed ${SEED}: ${JSON.stringify(rule.mongo)} ${text}: ${reply.status}`;
      expect(reply.status, `${seen} ${reply.body.toString()}`).toBeLessThan(500);
      const docs = [...before.values()];
      if (READS.has(one.kind)) {
        const within = docs.filter(
          (doc) => read.holds(doc) && (one.kind === 'one' || one.filter.holds(doc)),
        );
        checkRead(one.kind, reply.body, reply.status, within, one.id);
        judged += docs.length;
        continue;
      }
      const after = await stored(collection);
      for (const doc of docs) {
        judged += 1;
        if (!write.holds(doc))
          expect(after.get(doc._id), `${seen} ${JSON.stringify(doc)}`).toEqual(doc);
        const isMeant = one.kind.endsWith('Many') && one.kind !== 'postMany';
        const mayChange = isMeant ? one.filter.holds(doc) : [one.id, 'd0'].includes(doc._id);
        if (!mayChange) expect(after.get(doc._id), seen).toEqual(doc);
        // within both filters a bulk request does what it says
        else if (isMeant && write.holds(doc)) expect(after.get(doc._id), seen).not.toEqual(doc);
      }
      before = after;
    }
  }
  expect(judged).toBeGreaterThanOrEqual(50_000);
}, 240_000);
