/**
 * Checks the trees of an LMDB file page by page, by plain reads. LMDB itself trusts what its pages say
 * of themselves: a damaged one sends it outside of its file, and the process ends without a word.
 * The layout is that of `MDB_meta`, `MDB_db`, `MDB_page` and `MDB_node` in LMDB's mdb.c, data version 2,
 * on 64-bit machines with little-endian numbers.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';

const DATA_FILE = 'data.mdb';
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const META_PAGES = 2;
const HEADER_BYTES = 24;
const NODE_HEAD_BYTES = 8;
const TREE_BYTES = 48;
const FIRST_META_BYTES = 160;
const MIN_PAGE_BYTES = 256;
const MAX_PAGE_BYTES = 65_536;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const META = 0x08;
const KINDS = BRANCH | LEAF | OVERFLOW | META;
const BIG_DATA = 0x01;
const SUB_TREE = 0x02;

/** The data file of a folder is not as LMDB has written it. Nothing in it has been changed. */
export class DamagedFolderError extends Error {
  constructor(folder: string, reason: string) {
    super(
      `${join(folder, DATA_FILE)} is damaged: ${reason}. Restore a backup; nothing has been changed`,
    );
    this.name = 'DamagedFolderError';
  }
}

class Damage extends Error {}

export interface PageCheckOptions {
  /** Leaf pages that are looked at; of those beyond only the way to them is checked. */
  readonly maxLeafPages?: number;
}

/**
 * Checks the newest state of a folder's data file. What no page refers to is not looked at, nor what
 * documents hold.
 *
 * @throws DamagedFolderError
 */
export function checkPages(folder: string, options: PageCheckOptions = {}): void {
  if (endianness() !== 'LE') return;
  let file: number;
  try {
    file = openSync(join(folder, DATA_FILE), 'r');
  } catch (error) {
    // a new folder has none yet
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    new PageChecker(file, options.maxLeafPages ?? Number.POSITIVE_INFINITY).check();
  } catch (error) {
    if (error instanceof Damage) throw new DamagedFolderError(folder, error.message);
    throw error;
  } finally {
    closeSync(file);
  }
}

/** What a tree says of itself. */
interface Tree {
  readonly name: string;
  readonly depth: number;
  readonly branchPages: bigint;
  readonly leafPages: bigint;
  readonly overflowPages: bigint;
  readonly entries: bigint;
  readonly root: bigint;
  /** Its keys are numbers in the machine's order of bytes. */
  readonly hasNumberKeys: boolean;
}

interface TreeCounts {
  branch: bigint;
  leaf: bigint;
  overflow: bigint;
  entries: bigint;
}

type Key = Buffer | undefined;

class PageChecker {
  readonly #file: number;
  readonly #fileBytes: number;
  readonly #maxLeafPages: number;
  readonly #seen = new Set<number>();
  #pageBytes = 0;
  #lastPage = 0;
  #leafPages = 0;

  constructor(file: number, maxLeafPages: number) {
    this.#file = file;
    this.#maxLeafPages = maxLeafPages;
    this.#fileBytes = fstatSync(file).size;
  }

  check(): void {
    if (this.#fileBytes === 0) return;
    const meta = this.#newestMeta();
    this.#checkTree(readTree(meta, 48, 'list of free pages', true), []);
    const names: Tree[] = [];
    this.#checkTree(readTree(meta, 96, 'list of tables', false), names);
    for (const tree of names) this.#checkTree(tree, []);
  }

  #newestMeta(): Buffer {
    const first = this.#read(0, FIRST_META_BYTES);
    checkMeta(first, 0);
    this.#pageBytes = first.readUInt32LE(48);
    const isPower = (this.#pageBytes & (this.#pageBytes - 1)) === 0;
    if (!isPower || this.#pageBytes < MIN_PAGE_BYTES || this.#pageBytes > MAX_PAGE_BYTES) {
      throw new Damage(`page 0 names ${this.#pageBytes} as the size of a page`);
    }
    const second = this.#read(this.#pageBytes, FIRST_META_BYTES);
    checkMeta(second, 1);
    const newest = second.readBigUInt64LE(152) > first.readBigUInt64LE(152) ? second : first;
    const last = newest.readBigUInt64LE(144);
    if (last > 0xffff_ffff_ffffn) throw new Damage(`${last} is named as its last page`);
    this.#lastPage = Number(last);
    return newest;
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    const read = readSync(this.#file, bytes, 0, length, position);
    if (read === length) return bytes;
    throw new Damage(`it ends at ${position + read} bytes, before the page that is expected there`);
  }

  /** A page with the number and of the kind that it has to have. */
  #page(number: bigint, kind: number, of: string): Buffer {
    const isInside = number >= BigInt(META_PAGES) && number <= BigInt(this.#lastPage);
    if (!isInside) throw new Damage(`the ${of} refers to page ${number}, which there is not`);
    const place = Number(number);
    if (this.#seen.has(place)) throw new Damage(`page ${number} is used twice, by the ${of} too`);
    this.#seen.add(place);
    const page = this.#read(place * this.#pageBytes, this.#pageBytes);
    if (page.readBigUInt64LE(0) !== number || (page.readUInt16LE(18) & KINDS) !== kind) {
      throw new Damage(`page ${number} of the ${of} is not what it has to be`);
    }
    return page;
  }

  #checkTree(tree: Tree, names: Tree[]): void {
    if (tree.root === NO_PAGE) return;
    const counts: TreeCounts = { branch: 0n, leaf: 0n, overflow: 0n, entries: 0n };
    if (tree.depth < 1 || tree.depth > 32) {
      throw new Damage(`the ${tree.name} claims a depth of ${tree.depth}`);
    }
    const isWhole = this.#checkLevel(tree, tree.root, 1, [undefined, undefined], counts, names);
    const isCounted =
      counts.branch === tree.branchPages &&
      (!isWhole ||
        (counts.leaf === tree.leafPages &&
          counts.overflow === tree.overflowPages &&
          counts.entries === tree.entries));
    if (!isCounted) throw new Damage(`the ${tree.name} does not hold what it has counted`);
  }

  /** @returns false when leaf pages were left out */
  #checkLevel(
    tree: Tree,
    number: bigint,
    level: number,
    bounds: readonly [Key, Key],
    counts: TreeCounts,
    names: Tree[],
  ): boolean {
    const isLeaf = level === tree.depth;
    if (isLeaf) {
      this.#leafPages += 1;
      if (this.#leafPages > this.#maxLeafPages) return false;
    }
    const page = this.#page(number, isLeaf ? LEAF : BRANCH, tree.name);
    const nodes = this.#nodes(page, number, isLeaf, tree.name);
    checkOrder(nodes, bounds, tree, number, isLeaf);
    if (isLeaf) {
      counts.leaf += 1n;
      counts.entries += BigInt(nodes.length);
      for (const node of nodes) this.#checkLeafNode(page, node, tree, counts, names);
      return true;
    }
    counts.branch += 1n;
    let isWhole = true;
    for (const [index, node] of nodes.entries()) {
      const low = index === 0 ? bounds[0] : node.key;
      const high = nodes[index + 1]?.key ?? bounds[1];
      const below = this.#checkLevel(tree, node.page, level + 1, [low, high], counts, names);
      isWhole = isWhole && below;
    }
    return isWhole;
  }

  #nodes(page: Buffer, number: bigint, isLeaf: boolean, of: string): PageNode[] {
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    const room = this.#pageBytes - HEADER_BYTES;
    if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) {
      throw new Damage(`page ${number} of the ${of} has bounds that cannot be`);
    }
    const nodes: PageNode[] = [];
    for (let at = HEADER_BYTES; at < HEADER_BYTES + lower; at += 2) {
      const offset = page.readUInt16LE(at);
      const node = readNode(page, HEADER_BYTES + offset, isLeaf);
      if (offset < upper || node === undefined) {
        throw new Damage(`page ${number} of the ${of} has an entry outside of itself`);
      }
      nodes.push(node);
    }
    return nodes;
  }

  #checkLeafNode(
    page: Buffer,
    node: PageNode,
    tree: Tree,
    counts: TreeCounts,
    names: Tree[],
  ): void {
    if ((node.flags & SUB_TREE) !== 0) {
      if (node.dataBytes !== TREE_BYTES) {
        throw new Damage(`the ${tree.name} describes a table in ${node.dataBytes} bytes`);
      }
      const name = node.key?.toString('latin1').replace(/\0$/, '') ?? '';
      names.push(readTree(page, node.dataAt, `table "${name}"`, false));
      return;
    }
    if ((node.flags & BIG_DATA) === 0) return;
    const first = page.readBigUInt64LE(node.dataAt);
    const pages = Math.floor((HEADER_BYTES - 1 + node.dataBytes) / this.#pageBytes) + 1;
    const overflow = this.#page(first, OVERFLOW, tree.name);
    const end = Number(first) + pages;
    if (overflow.readUInt32LE(20) !== pages || end - 1 > this.#lastPage) {
      throw new Damage(`page ${first} of the ${tree.name} does not go on as long as it has to`);
    }
    if (end * this.#pageBytes > this.#fileBytes) {
      throw new Damage(`it ends before the value on page ${first} does`);
    }
    for (let more = Number(first) + 1; more < end; more++) this.#seen.add(more);
    counts.overflow += BigInt(pages);
  }
}

interface PageNode {
  readonly flags: number;
  /** None for the first entry of a branch page, which stands for all that is smaller. */
  readonly key: Key;
  readonly page: bigint;
  readonly dataAt: number;
  readonly dataBytes: number;
}

/** The entry at a place of a page, or nothing when it does not fit into the page. */
function readNode(page: Buffer, at: number, isLeaf: boolean): PageNode | undefined {
  if (at + NODE_HEAD_BYTES > page.length) return undefined;
  const low = page.readUInt32LE(at);
  const flags = page.readUInt16LE(at + 4);
  const keyBytes = page.readUInt16LE(at + 6);
  const dataAt = at + NODE_HEAD_BYTES + keyBytes;
  if (dataAt > page.length) return undefined;
  const key = keyBytes === 0 ? undefined : page.subarray(at + NODE_HEAD_BYTES, dataAt);
  if (!isLeaf) {
    return { flags: 0, key, page: BigInt(low) | (BigInt(flags) << 32n), dataAt, dataBytes: 0 };
  }
  const stored = (flags & BIG_DATA) !== 0 ? HEADER_BYTES : low;
  if (dataAt + stored > page.length) return undefined;
  return { flags, key, page: 0n, dataAt, dataBytes: low };
}

function checkOrder(
  nodes: readonly PageNode[],
  [low, high]: readonly [Key, Key],
  tree: Tree,
  number: bigint,
  isLeaf: boolean,
): void {
  let before = low;
  for (const [index, { key }] of nodes.entries()) {
    const isFirstOfBranch = !isLeaf && index === 0;
    if (isFirstOfBranch) continue;
    const isAfter =
      key !== undefined &&
      (before === undefined ||
        compareKeys(before, key, tree) < 0 ||
        (index === 0 && compareKeys(before, key, tree) === 0));
    const isBefore = key !== undefined && (high === undefined || compareKeys(key, high, tree) < 0);
    if (!isAfter || !isBefore) {
      throw new Damage(`page ${number} of the ${tree.name} is out of order`);
    }
    before = key;
  }
}

function compareKeys(a: Buffer, b: Buffer, { hasNumberKeys }: Tree): number {
  if (!hasNumberKeys || a.length < 8 || b.length < 8) return Buffer.compare(a, b);
  const difference = a.readBigUInt64LE(0) - b.readBigUInt64LE(0);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function readTree(bytes: Buffer, at: number, name: string, hasNumberKeys: boolean): Tree {
  return {
    name,
    depth: bytes.readUInt16LE(at + 6),
    branchPages: bytes.readBigUInt64LE(at + 8),
    leafPages: bytes.readBigUInt64LE(at + 16),
    overflowPages: bytes.readBigUInt64LE(at + 24),
    entries: bytes.readBigUInt64LE(at + 32),
    root: bytes.readBigUInt64LE(at + 40),
    hasNumberKeys,
  };
}

function checkMeta(meta: Buffer, number: number): void {
  const isMeta = (meta.readUInt16LE(18) & KINDS) === META && meta.readUInt32LE(24) === MAGIC;
  if (!isMeta) throw new Damage(`page ${number} does not begin a database`);
  const version = meta.readUInt32LE(28) & 0xffff;
  if (version !== DATA_VERSION) {
    throw new Damage(`page ${number} names ${version} as the version of its layout`);
  }
}
