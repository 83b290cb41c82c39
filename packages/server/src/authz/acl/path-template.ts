import type { Bindings } from './exchange-attribute.ts';

/**
 * Matches `path` with a template of `{name}` segments and binds the names; a trailing `/*` takes
 * any rest, its slash included (security.md §8.4: `/a/{x}` matches `/a/1` and `/a/1/`, not `/a/1/2`).
 */
export function matchPathTemplate(template: string, path: string, bindings: Bindings): boolean {
  const open = template.endsWith('/*');
  const wanted = (open ? template.slice(0, -2) : stripSlash(template)).split('/');
  const given = (open ? path : stripSlash(path)).split('/');
  if (open ? given.length <= wanted.length : given.length !== wanted.length) return false;
  const bound: [string, string][] = [];
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? '';
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      if (segment !== value) return false;
    } else if (value === '') {
      return false;
    } else {
      bound.push([name, value]);
    }
  }
  for (const [name, value] of bound) bindings.set(name, value);
  if (open) bindings.set('*', given.slice(wanted.length).join('/'));
  return true;
}

function stripSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
