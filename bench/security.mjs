// What logins and rules cost: authenticated reads beside anonymous ones of the same node, ten thousand rules
// beside ten, and whether the time of a refusal tells an account that exists from one that does not.
import { MongoClient, ObjectId } from 'mongodb';
import { documentId, median, runLoad } from './lib/load.mjs';
import { startEngine, startNode } from './lib/processes.mjs';
import { sampleDocument } from './lib/sample-document.mjs';

const DOCUMENTS = 5000;
const CONNECTIONS = 64;
// bcrypt of `secret`, cost 4
const ADMIN = {
  _id: 'admin',
  password: '$2a$04$WbMCvCxun6L9WdZyhnaD5OzYnU15uNObjX/Igoy43ujQZZhhOdIlm',
  roles: ['admin'],
};
const basic = (name, password) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

export async function benchSecurity({ short }) {
  const rounds = short ? 3 : 7;
  const seconds = short ? 2 : 5;
  const engine = await startEngine();
  const client = await new MongoClient(engine.uri).connect();
  await prepare(client);
  const node = await startNode(engine.uri, [
    '/fullAuthorizer/enabled->false',
    `/mongoRealmAuthenticator/create-user-document->${JSON.stringify(JSON.stringify(ADMIN))}`,
  ]);
  try {
    for (const [name, role] of [
      ['few', 'few'],
      ['many', 'many'],
    ]) {
      const reply = await fetch(`${node.url}/restheart/users`, {
        method: 'POST',
        headers: { Authorization: basic('admin', 'secret'), 'Content-Type': 'application/json' },
        body: JSON.stringify({ _id: name, password: `pass-${name}`, roles: [role] }),
      });
      if (reply.status !== 201) throw new Error(await reply.text());
    }
    const few = basic('few', 'pass-few');
    const many = basic('many', 'pass-many');
    const token = await (
      await fetch(`${node.url}/token`, { headers: { Authorization: few } })
    ).json();
    const ways = {
      anonymous: {},
      basic: { Authorization: few },
      jwt: { Authorization: `Bearer ${token.access_token}` },
      many: { Authorization: many },
    };
    const rates = await measure(node, ways, rounds, seconds);
    const ratio = (a, b) => median(rates[a].map((rate, i) => rate / rates[b][i]));
    return [
      atLeast('GET with basic (cached) beside anonymous', ratio('basic', 'anonymous'), 0.85),
      atLeast('GET with a JWT beside anonymous', ratio('jwt', 'anonymous'), 0.85),
      below('GET under 10,000 rules, cost beside 10', ratio('basic', 'many'), 2),
      await refusals(node, short ? 12 : 40),
    ];
  } finally {
    await client.close();
    await node.stop();
    await engine.stop();
  }
}

/** Documents, and rules of two roles: of ten, and of ten thousand, the last of which decides. */
async function prepare(client) {
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    ...sampleDocument(i),
    _id: new ObjectId(documentId(i)),
  }));
  await client.db('bench').collection('documents').insertMany(documents);
  const rulesOf = (role, count) =>
    Array.from({ length: count }, (_, i) => ({
      _id: `${role}-${i}`,
      roles: [role],
      predicate:
        i === count - 1
          ? "path-prefix('/bench') and method(GET)"
          : `path-prefix('/tenant${i}/${role}') and method(GET, POST)`,
      priority: count - i,
    }));
  await client
    .db('restheart')
    .collection('acl')
    .insertMany([
      ...rulesOf('$unauthenticated', 10),
      ...rulesOf('few', 10),
      ...rulesOf('many', 10_000),
    ]);
}

async function measure(node, ways, rounds, seconds) {
  // the rules are compiled, the password is verified, before anything is measured
  for (const headers of Object.values(ways)) {
    const reply = await fetch(`${node.url}/bench/documents/${documentId(1)}`, { headers });
    if (reply.status !== 200) throw new Error(`${reply.status} ${await reply.text()}`);
  }
  const rates = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [way, headers] of Object.entries(ways)) {
      const url = `${node.url}/bench/documents`;
      const load = { url, ids: DOCUMENTS, headers, connections: CONNECTIONS };
      const result = await runLoad({ ...load, seconds: round < 0 ? 1 : seconds });
      if (round >= 0 && (!(result.requestsPerSecond > 0) || result.failed > 0))
        throw new Error(`${way}: ${JSON.stringify(result)}`);
      if (round >= 0) rates[way].push(result.requestsPerSecond);
    }
  }
  return rates;
}

/** The medians of both, in turn and one after another; reported, for noise decides what difference means something. */
async function refusals(node, count) {
  const times = { wrong: [], unknown: [] };
  for (let i = -2; i < count; i += 1) {
    for (const [kind, name] of [
      ['wrong', 'few'],
      ['unknown', `nobody${i}`],
    ]) {
      const startedAt = performance.now();
      const reply = await fetch(`${node.url}/bench/documents/${documentId(1)}x`, {
        headers: { Authorization: basic(name, `guess${i}`) },
      });
      await reply.arrayBuffer();
      if (i >= 0) times[kind].push(performance.now() - startedAt);
    }
  }
  const spread = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
    return at(0.75) - at(0.25);
  };
  const [wrong, unknown] = [median(times.wrong), median(times.unknown)];
  const noise = Math.max(spread(times.wrong), spread(times.unknown));
  return {
    name: 'refusal of an unknown account beside a wrong password',
    value: `${(unknown / wrong).toFixed(2)}x`,
    target: 'noise',
    met: Math.abs(unknown - wrong) <= Math.max(noise, 0.1 * wrong),
    note: `${unknown.toFixed(1)} and ${wrong.toFixed(1)} ms, quartiles ${noise.toFixed(1)} ms apart`,
  };
}

function atLeast(name, value, target) {
  return {
    name,
    value: `${(value * 100).toFixed(0)} %`,
    target: `>= ${target * 100} %`,
    met: value >= target,
  };
}

function below(name, value, target) {
  return { name, value: `${value.toFixed(2)}x`, target: `< ${target}x`, met: value < target };
}
