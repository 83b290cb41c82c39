/** Operations on GridFS buckets. */
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { GridFSBucketWriteStreamOptions } from 'mongodb';
import type { Call, Operation } from './operations.ts';
import type { Fields } from './spec-file.ts';

const bucket = ({ entities, object }: Call) => entities.bucket(object);

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Operations by name. */
export const BUCKET_OPERATIONS: Readonly<Record<string, Operation>> = {
  upload: async (call) => {
    const { filename, source, id, ...options } = call.args;
    const stream = bucket(call).openUploadStream(String(filename), {
      ...options,
      ...(id !== undefined && { id }),
    } as GridFSBucketWriteStreamOptions);
    stream.end(Buffer.from(String((source as Fields)['$$hexBytes']), 'hex'));
    await finished(stream as Writable);
    return stream.id;
  },
  download: async (call) => {
    const { id, ...options } = call.args;
    return readAll(bucket(call).openDownloadStream(id as never, options));
  },
  downloadByName: async (call) => {
    const { filename, ...options } = call.args;
    return readAll(bucket(call).openDownloadStreamByName(String(filename), options));
  },
  delete: async (call) => {
    const { id, ...options } = call.args;
    return bucket(call).delete(id as never, options as { timeoutMS: number });
  },
};
