/**
 * How a body is to be encoded: `identity` is sent with the header `Content-Encoding: identity`, `none` without any
 * (operations.md §11; rest-documents.md §7).
 */
export type ContentCoding = 'gzip' | 'deflate' | 'identity' | 'none';

const CODINGS = ['gzip', 'deflate', 'identity'] as const;

/**
 * Chooses by q-value; between equals gzip, deflate, identity. `*` stands for identity, as observed on RESTHeart;
 * unknown codings (`br`) and q=0 are passed over.
 */
export function chooseCoding(acceptEncoding: string | undefined): ContentCoding {
  if (acceptEncoding === undefined || acceptEncoding === '') return 'none';
  const quality = { gzip: -1, deflate: -1, identity: -1 };
  for (const item of acceptEncoding.split(',')) {
    const { name, q } = parseItem(item);
    if (name === 'gzip' || name === 'x-gzip') quality.gzip = q;
    else if (name === 'deflate') quality.deflate = q;
    else if (name === 'identity') quality.identity = q;
    else if (name === '*' && quality.identity === -1) quality.identity = q;
  }
  let chosen: ContentCoding = 'none';
  let best = 0;
  for (const coding of CODINGS) {
    if (quality[coding] > best) {
      best = quality[coding];
      chosen = coding;
    }
  }
  return chosen;
}

/** True when gzip or deflate is named without q=0; what `force-gzip-encoding` asks for. */
export function acceptsCompression(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  return acceptEncoding.split(',').some((item) => {
    const { name, q } = parseItem(item);
    return q > 0 && (name === 'gzip' || name === 'x-gzip' || name === 'deflate');
  });
}

function parseItem(item: string): { name: string; q: number } {
  const semicolon = item.indexOf(';');
  if (semicolon === -1) return { name: item.trim().toLowerCase(), q: 1 };
  const name = item.slice(0, semicolon).trim().toLowerCase();
  for (const parameter of item.slice(semicolon + 1).split(';')) {
    const [key = '', value = ''] = parameter.split('=', 2);
    if (key.trim().toLowerCase() !== 'q') continue;
    const q = Number(value.trim());
    // a malformed q-value counts as 1: the client did name the coding
    return { name, q: Number.isFinite(q) ? Math.min(Math.max(q, 0), 1) : 1 };
  }
  return { name, q: 1 };
}
