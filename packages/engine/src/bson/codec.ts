/** BSON bytes to values and back: the one place the other folders take it from. */
export { decodeDocument } from './decoder.ts';
export { encodeDocument, encodeDocumentAfter } from './encoder.ts';
export {
  decodeFields,
  decodeRawField,
  type RawField,
  rawTopLevelFields,
  readTopLevelField,
} from './raw-fields.ts';
export { MAX_BSON_DEPTH, validateBson } from './validate.ts';
