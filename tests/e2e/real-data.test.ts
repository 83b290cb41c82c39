import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';

const require = createRequire(import.meta.url);
const vega = join(import.meta.dirname, '../../node_modules/vega-datasets/data');

interface Country {
  readonly cca3: string;
  readonly name: { readonly common: string };
  readonly region: string;
  readonly area: number;
  readonly borders: readonly string[];
  readonly languages: Readonly<Record<string, string>>;
  readonly latlng: readonly number[];
}
interface Zip {
  readonly zip_code: string;
  readonly city: string;
  readonly state: string;
  readonly latitude: number;
}
interface Movie {
  readonly Title: unknown;
  readonly Director: string | null;
  readonly 'IMDB Rating': number | null;
  readonly 'US Gross': unknown;
}

const countries = require('world-countries/countries.json') as readonly Country[];
const movies = require(join(vega, 'movies.json')) as readonly Movie[];
const zips = readCsv(join(vega, 'zipcodes.csv')) as unknown as readonly Zip[];
const airports = readCsv(join(vega, 'airports.csv'));

function readCsv(file: string): Record<string, string | number>[] {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    // quoted cells hold commas
    const cells = [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].map((m) => m[2] ?? m[1] ?? '');
    return Object.fromEntries(
      names.map((name, i) => {
        const cell = cells[i] ?? '';
        return [name, /^l(at|ong)itude$/.test(name) ? Number(cell) : cell];
      }),
    );
  });
}

let folder = '';
let node: NodeProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-real-data-'));
  node = await startNodeProcess({ dataFolder: folder });
  expect((await call('PUT', '/world')).status).toBe(201);
});
afterAll(async () => {
  await node.kill();
  rmSync(folder, { recursive: true, force: true });
});

function call(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(node.url + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
}

async function get<T>(path: string, query: Record<string, string | object> = {}): Promise<T> {
  const parameters = Object.entries(query).map(
    ([name, value]) =>
      `${name}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  const reply = await call('GET', `${path}?${parameters.join('&')}`);
  expect(reply.status).toBe(200);
  return (await reply.json()) as T;
}

const size = async (collection: string, filter: object = {}) =>
  (
    await get<{ _size: number }>(
      `/world/${collection}/_size`,
      Object.keys(filter).length > 0 ? { filter } : {},
    )
  )._size;

async function load(collection: string, documents: readonly object[]): Promise<void> {
  await call('PUT', `/world/${collection}`);
  for (let from = 0; from < documents.length; from += 2000) {
    const part = documents.slice(from, from + 2000);
    const reply = await call('POST', `/world/${collection}`, part);
    expect(reply.status).toBe(200);
    expect(((await reply.json()) as { inserted: number }).inserted).toBe(part.length);
  }
}

/** All pages of a query, to the end. */
async function readAll<T>(path: string, query: Record<string, string | object>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; ; page += 1) {
    const documents = await get<T[]>(path, { ...query, page: String(page), pagesize: '1000' });
    all.push(...documents);
    if (documents.length < 1000) return all;
  }
}

describe('real data', () => {
  it('loads more than 30,000 documents in bulk, and has them after a kill -9 in the middle', async () => {
    await load(
      'countries',
      countries.map((country) => ({ _id: country.cca3, ...country })),
    );
    await load('movies', movies);
    await load(
      'airports',
      airports.map((airport) => ({ _id: airport['iata'], ...airport })),
    );
    const half = Math.ceil(zips.length / 2);
    await load(
      'zips',
      zips.slice(0, half).map((zip) => ({ _id: zip.zip_code, ...zip })),
    );
    await node.kill();
    node = await startNodeProcess({ dataFolder: folder });
    expect(await size('countries')).toBe(countries.length);
    expect(await size('zips')).toBe(half);
    await load(
      'zips',
      zips.slice(half).map((zip) => ({ _id: zip.zip_code, ...zip })),
    );
    const total = countries.length + movies.length + airports.length + zips.length;
    expect(total).toBeGreaterThan(30_000);
    const sizes = await Promise.all(
      ['countries', 'movies', 'airports', 'zips'].map((c) => size(c)),
    );
    expect(sizes.reduce((sum, n) => sum + n)).toBe(total);
  });

  it('filters on nested fields and arrays as the same files do in plain JavaScript', async () => {
    const french = await get<Country[]>('/world/countries', {
      filter: { 'languages.fra': { $exists: true }, region: 'Africa' },
      keys: { _id: 1 },
      pagesize: '1000',
    });
    const expected = countries.filter((c) => 'fra' in c.languages && c.region === 'Africa');
    expect(french.length).toBe(expected.length);
    const neighbours = await get<{ _id: string }[]>('/world/countries', {
      filter: { borders: 'DEU' },
      sort: { _id: 1 },
      keys: { _id: 1 },
    });
    expect(neighbours).toEqual(
      countries
        .filter((c) => c.borders.includes('DEU'))
        .map((c) => ({ _id: c.cca3 }))
        .sort((a, b) => (a._id < b._id ? -1 : 1)),
    );
    const north = await size('countries', { 'latlng.0': { $gt: 60 }, area: { $gte: 1000 } });
    expect(north).toBe(countries.filter((c) => (c.latlng[0] ?? 0) > 60 && c.area >= 1000).length);
  });

  it('sorts and projects', async () => {
    const largest = await get<{ _id: string; area: number }[]>('/world/countries', {
      sort: { area: -1 },
      keys: { area: 1 },
      pagesize: '5',
    });
    const expected = [...countries].sort((a, b) => b.area - a.area).slice(0, 5);
    expect(largest).toEqual(expected.map((c) => ({ _id: c.cca3, area: c.area })));
  });

  it('keeps numbers, nulls and mixed types as they were', async () => {
    const rated = await size('movies', { 'IMDB Rating': { $gte: 8.5 } });
    expect(rated).toBe(movies.filter((m) => (m['IMDB Rating'] ?? 0) >= 8.5).length);
    // a title that is a number is no string
    expect(await size('movies', { Title: { $type: 'number' } })).toBe(
      movies.filter((m) => typeof m.Title === 'number').length,
    );
    expect(await size('movies', { Director: null })).toBe(
      movies.filter((m) => m.Director === null).length,
    );
  });

  it('pages to the end without losing or doubling a document', async () => {
    const californian = zips.filter((zip) => zip.state === 'CA');
    const read = await readAll<Zip>('/world/zips', {
      filter: { state: 'CA' },
      sort: { city: 1, _id: -1 },
      keys: { city: 1 },
    });
    expect(read.length).toBe(californian.length);
    const order = (a: { city: string; _id: string }, b: { city: string; _id: string }) =>
      a.city === b.city ? (a._id < b._id ? 1 : -1) : a.city < b.city ? -1 : 1;
    expect(read).toEqual(
      californian.map((zip) => ({ _id: zip.zip_code, city: zip.city })).sort(order),
    );
  });

  it('answers the same with an index as without', async () => {
    const query = {
      filter: { state: { $in: ['NY', 'VT'] }, latitude: { $gt: 43 } },
      keys: { _id: 1 },
    };
    const before = await readAll<{ _id: string }>('/world/zips', { ...query, sort: { _id: 1 } });
    const reply = await call('PUT', '/world/zips/_indexes/byState', {
      keys: { state: 1, latitude: 1 },
    });
    expect(reply.status).toBe(201);
    expect(await readAll('/world/zips', { ...query, sort: { _id: 1 } })).toEqual(before);
    expect(before.length).toBe(
      zips.filter((z) => ['NY', 'VT'].includes(z.state) && z.latitude > 43).length,
    );
  });

  it('updates in bulk, and counts what it updated', async () => {
    const filter = { state: 'TX', latitude: { $lt: 30 } };
    const expected = zips.filter((z) => z.state === 'TX' && z.latitude < 30).length;
    const reply = await call(
      'PATCH',
      `/world/zips/*?filter=${encodeURIComponent(JSON.stringify(filter))}`,
      {
        south: true,
        $inc: { visits: 2 },
      },
    );
    expect(await reply.json()).toMatchObject({ matched: expected, modified: expected });
    expect(await size('zips', { south: true, visits: 2 })).toBe(expected);
  });

  it('aggregates as plain JavaScript does', async () => {
    await call('PUT', '/world/zips', {
      aggrs: [
        {
          uri: 'by-state',
          stages: [
            { $group: { _id: '$state', n: { $sum: 1 }, north: { $max: '$latitude' } } },
            { $sort: { n: -1, _id: 1 } },
            { $limit: 3 },
          ],
        },
      ],
    });
    const groups = new Map<string, { _id: string; n: number; north: number }>();
    for (const zip of zips) {
      const group = groups.get(zip.state) ?? { _id: zip.state, n: 0, north: -90 };
      groups.set(zip.state, {
        ...group,
        n: group.n + 1,
        north: Math.max(group.north, zip.latitude),
      });
    }
    const expected = [...groups.values()].sort((a, b) => b.n - a.n || (a._id < b._id ? -1 : 1));
    expect(await get('/world/zips/_aggrs/by-state')).toEqual(expected.slice(0, 3));
  });
});
