/** The media type of a file, from its first bytes; a file's name says nothing about its content. */

interface Signature {
  readonly type: string;
  readonly offset?: number;
  /** Hexadecimal digits; `..` is any byte. */
  readonly bytes: string;
}

const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');

/** Published magic numbers; the first match wins. */
const SIGNATURES: readonly Signature[] = [
  { type: 'application/pdf', bytes: hex('%PDF-') },
  { type: 'image/png', bytes: '89504e470d0a1a0a' },
  { type: 'image/jpeg', bytes: 'ffd8ff' },
  { type: 'image/gif', bytes: hex('GIF87a') },
  { type: 'image/gif', bytes: hex('GIF89a') },
  { type: 'image/webp', bytes: `${hex('RIFF')}........${hex('WEBP')}` },
  { type: 'audio/vnd.wave', bytes: `${hex('RIFF')}........${hex('WAVE')}` },
  { type: 'video/x-msvideo', bytes: `${hex('RIFF')}........${hex('AVI ')}` },
  { type: 'image/tiff', bytes: '49492a00' },
  { type: 'image/tiff', bytes: '4d4d002a' },
  { type: 'image/bmp', bytes: '424d........00000000' },
  { type: 'image/vnd.microsoft.icon', bytes: '00000100' },
  { type: 'image/vnd.adobe.photoshop', bytes: hex('8BPS') },
  { type: 'image/avif', offset: 4, bytes: hex('ftypavif') },
  { type: 'image/heic', offset: 4, bytes: hex('ftypheic') },
  { type: 'audio/mp4', offset: 4, bytes: hex('ftypM4A') },
  { type: 'video/quicktime', offset: 4, bytes: hex('ftypqt') },
  { type: 'video/mp4', offset: 4, bytes: hex('ftyp') },
  { type: 'video/x-matroska', bytes: '1a45dfa3' },
  { type: 'video/mpeg', bytes: '000001ba' },
  { type: 'video/x-flv', bytes: hex('FLV\u0001') },
  { type: 'audio/mpeg', bytes: hex('ID3') },
  { type: 'audio/mpeg', bytes: 'fffb' },
  { type: 'audio/x-flac', bytes: hex('fLaC') },
  { type: 'audio/ogg', bytes: hex('OggS') },
  { type: 'audio/midi', bytes: hex('MThd') },
  { type: 'application/gzip', bytes: '1f8b08' },
  { type: 'application/x-bzip2', bytes: hex('BZh') },
  { type: 'application/x-xz', bytes: 'fd377a585a00' },
  { type: 'application/zstd', bytes: '28b52ffd' },
  { type: 'application/x-7z-compressed', bytes: '377abcaf271c' },
  { type: 'application/x-rar-compressed', bytes: hex('Rar!') },
  { type: 'application/x-tar', offset: 257, bytes: hex('ustar') },
  { type: 'application/vnd.sqlite3', bytes: hex('SQLite format 3\u0000') },
  { type: 'application/wasm', bytes: '0061736d' },
  { type: 'application/x-elf', bytes: '7f454c46' },
  { type: 'application/x-msdownload', bytes: '4d5a' },
  { type: 'application/java-vm', bytes: 'cafebabe' },
  { type: 'application/x-ole-storage', bytes: 'd0cf11e0a1b11ae1' },
  { type: 'application/rtf', bytes: hex('{\\rtf') },
  { type: 'application/postscript', bytes: hex('%!PS') },
  { type: 'font/woff', bytes: hex('wOFF') },
  { type: 'font/woff2', bytes: hex('wOF2') },
  { type: 'font/otf', bytes: hex('OTTO') },
  { type: 'font/ttf', bytes: '0001000000' },
];

/** Bytes that are enough to tell the type. */
export const SNIFF_LENGTH = 4096;

const UNKNOWN = 'application/octet-stream';

/** The type that the first bytes of a content tell; `application/octet-stream` when they tell none. */
export function sniffContentType(head: Buffer): string {
  if (head.length === 0) return UNKNOWN;
  for (const signature of SIGNATURES) if (matches(head, signature)) return signature.type;
  if (head.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1')))
    return head.length < 38 ? 'application/zip' : sniffZip(head);
  return sniffText(head);
}

function matches(head: Buffer, { offset = 0, bytes }: Signature): boolean {
  const length = bytes.length / 2;
  if (head.length < offset + length) return false;
  const text = head.toString('hex', offset, offset + length);
  for (let index = 0; index < bytes.length; index += 1) {
    if (bytes[index] !== '.' && bytes[index] !== text[index]) return false;
  }
  return true;
}

/** Office and e-book formats are zip archives that begin with telling entries. */
function sniffZip(head: Buffer): string {
  const text = head.toString('latin1');
  // a first entry that is stored, not packed, and called `mimetype`, names the type
  const isNamed = head.readUInt16LE(8) === 0 && head.toString('latin1', 30, 38) === 'mimetype';
  const mimeType = isNamed ? /^[\w./+-]+?(?=PK|$)/.exec(text.slice(38))?.[0] : undefined;
  if (mimeType?.includes('/')) return mimeType;
  const office = 'application/vnd.openxmlformats-officedocument';
  if (text.includes('word/')) return `${office}.wordprocessingml.document`;
  if (text.includes('xl/')) return `${office}.spreadsheetml.sheet`;
  if (text.includes('ppt/')) return `${office}.presentationml.presentation`;
  return text.includes('META-INF/MANIFEST.MF') ? 'application/java-archive' : 'application/zip';
}

function sniffText(head: Buffer): string {
  if (!isText(head)) return UNKNOWN;
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (/^<!doctype html|^<html[\s>]/i.test(text)) return 'text/html';
  if (/^(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!doctype svg[^>]*>\s*)?<svg[\s>]/is.test(text))
    return 'image/svg+xml';
  return text.startsWith('<?xml') ? 'application/xml' : 'text/plain';
}

/** UTF-8 or UTF-16 with a mark, no control characters but white space. */
function isText(head: Buffer): boolean {
  if (head[0] === 0xff && head[1] === 0xfe) return true;
  if (head[0] === 0xfe && head[1] === 0xff) return true;
  for (const byte of head) {
    if (
      byte < 0x20 &&
      byte !== 0x09 &&
      byte !== 0x0a &&
      byte !== 0x0d &&
      byte !== 0x0c &&
      byte !== 0x1b
    ) {
      return false;
    }
  }
  try {
    // the last character may be cut in two by the length of the sample
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    // not UTF-8: an 8-bit text if it has no C1 controls
    return !head.some((byte) => byte === 0x7f || (byte >= 0x80 && byte < 0xa0));
  }
}
