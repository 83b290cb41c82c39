import type { BsonValue } from '../../model/bson.ts';
import { formatIdForLink } from './document-id.ts';
import type { RestConfig } from './rest-config.ts';
import type { MongoRequest } from './rest-request.ts';

/** Path of a document below a request path; slashes are not doubled at the root. */
export function childPath(parent: string, suffix: string): string {
  return parent.endsWith('/') ? `${parent}${suffix}` : `${parent}/${suffix}`;
}

/**
 * Text that may stand in a header: what HTTP forbids there (control characters, and everything beyond ASCII, which has
 * no agreed encoding in headers) is percent-encoded, the rest stays as rest-documents.md §1.4 wants it.
 */
export function toHeaderText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
  return text.replace(/[\u0000-\u001f\u007f]|[^\u0000-\u007f]+/g, (part) =>
    Buffer.from(part)
      .toString('hex')
      .replace(/../g, (byte) => `%${byte.toUpperCase()}`),
  );
}

/** Scheme, host and path of this request, or the configured base in their place (rest-documents.md §5.3). */
export function absoluteUrl(request: MongoRequest, config: RestConfig, path: string): string {
  const { http } = request;
  const base = config.instanceBaseUrl ?? `${http.secure ? 'https' : 'http'}://${http.host}`;
  return toHeaderText(`${base.replace(/\/+$/, '')}${path}`);
}

/** `Location` of a document made by POST. */
export function documentLocation(
  request: MongoRequest,
  config: RestConfig,
  id: BsonValue | undefined,
): string {
  return absoluteUrl(request, config, childPath(request.requestPath, formatIdForLink(id)));
}
