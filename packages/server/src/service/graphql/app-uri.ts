/** Under which URI an app is served (graphql.md §4). */
import { type BsonDocument, isDocument } from '../../model/bson.ts';

/** `descriptor.uri` of a stored definition. */
export function uriOf(document: BsonDocument): string | undefined {
  const descriptor = document.get('descriptor');
  const uri = isDocument(descriptor) ? descriptor.get('uri') : undefined;
  return typeof uri === 'string' ? uri.replace(/^\//, '') : undefined;
}

/** `descriptor.uri`, else a text as `_id`; without the slash that some put in front. */
export function effectiveUri(document: BsonDocument): string | undefined {
  const descriptor = document.get('descriptor');
  const uri = (isDocument(descriptor) ? descriptor.get('uri') : undefined) ?? document.get('_id');
  return typeof uri === 'string' ? uri.replace(/^\//, '') : undefined;
}
