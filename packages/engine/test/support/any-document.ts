/** A document with an `_id` of any simple type, for tests that use numbers and strings as ids. */
export interface AnyDocument {
  _id?: number | string;
  // the driver's own types demand an index signature for free fields
  [field: string]: unknown;
}
