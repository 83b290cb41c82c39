/** Raw BSON for services: the functions live in `model/`, where `mongo/` needs them too. */
export {
  decodeDocument as decode,
  encodeDocument as encode,
  findRawField,
  rawFieldNames,
  readRawField,
  readRawPath,
  removeRawField,
} from '../model/raw-bson.ts';
