import { createHash } from 'node:crypto';
import { decodeDocument } from '../bson/codec.ts';
import { Binary, toDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE } from '../lib/pause.ts';
import { nextTurn, SLICE_MS } from '../lib/sliced.ts';
import { compileFilter } from '../query/filter.ts';
import { readStored } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import { createQueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';

/** `filemd5` (manual): the MD5 digest of a GridFS file, which elder drivers compare. */
export const fileMd5: CommandDefinition = {
  name: 'filemd5',
  help: 'The MD5 digest of a GridFS file',
  privilege: 'read',
  fields: { filemd5: 'any', root: 'string', partialOk: 'bool', md5state: 'any' },
  async run(context) {
    const { args, services } = context;
    const root = args.get('root') ?? 'fs';
    const name = `${String(root)}.chunks`;
    const collection = services.catalog.find(context.view, context.database, name);
    const digest = createHash('md5');
    let chunks = 0;
    let sliceEnd = performance.now() + SLICE_MS;
    const request = {
      filter: compileFilter(toDocument({ files_id: args.get('filemd5') ?? null })),
      sort: toDocument({ files_id: 1, n: 1 }),
    };
    for (const item of readStored(context, collection, createQueryEnvironment(context), request)) {
      if (item !== PAUSE) {
        const chunk = decodeDocument(item.bytes);
        if (Number(chunk.get('n')) !== chunks) {
          throw new MongoCommandError('Location10040', `chunks out of order`);
        }
        const data = chunk.get('data');
        if (data instanceof Binary) digest.update(data.value());
        chunks += 1;
      }
      if (performance.now() > sliceEnd) {
        context.operation.check();
        await nextTurn();
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    return reply({ numChunks: chunks, md5: digest.digest('hex') });
  },
};
