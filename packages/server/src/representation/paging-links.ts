/** `self` and paging links of full HAL (rest-documents.md §2.4). */

/** A decoded query parameter. */
export interface LinkParameter {
  readonly name: string;
  readonly value: string;
}

/** Where a page is and how many there are. */
export interface PageInfo {
  readonly page: number;
  readonly pageSize: number;
  /** Known only when counted. */
  readonly totalPages: number | undefined;
}

/** A link of one page to another. */
export interface PagingLink {
  readonly rel: 'first' | 'last' | 'next' | 'previous';
  readonly href: string;
}

/** Path and decoded query, parameters sorted by name, valueless ones written `count=`. */
export function selfHref(path: string, parameters: readonly LinkParameter[]): string {
  if (parameters.length === 0) return path;
  const sorted = [...parameters].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return `${path}?${sorted.map(({ name, value }) => `${name}=${value}`).join('&')}`;
}

/** The pages before, after, first and last, as far as they exist. */
export function pagingLinks(
  path: string,
  parameters: readonly LinkParameter[],
  { page, pageSize, totalPages }: PageInfo,
): PagingLink[] {
  const rest = parameters
    .filter(({ name }) => name !== 'page' && name !== 'pagesize')
    .map(({ name, value }) => `&${name}=${value}`)
    .join('');
  const first = `${path}?pagesize=${pageSize}${rest}`;
  const at = (number: number) => `${path}?page=${number}&pagesize=${pageSize}${rest}`;
  const links: PagingLink[] = [{ rel: 'first', href: first }];
  if (totalPages === undefined) {
    links.push({ rel: 'next', href: at(page + 1) });
  } else {
    links.push({ rel: 'last', href: totalPages > 1 ? at(totalPages) : first });
    if (page < totalPages) links.push({ rel: 'next', href: at(page + 1) });
  }
  if (page > 1) links.push({ rel: 'previous', href: at(page - 1) });
  return links;
}
