import type { RestParameters } from './rest-request.ts';

/** Documents to skip before the page. */
export function skipOf({ page, pageSize }: RestParameters): number {
  return (page - 1) * pageSize;
}

/** The items of the requested page; none past the end. */
export function pageOf<T>(items: readonly T[], parameters: RestParameters): T[] {
  const skip = skipOf(parameters);
  return items.slice(skip, skip + parameters.pageSize);
}
