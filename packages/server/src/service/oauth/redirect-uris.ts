/** Which redirect URIs a client may name (security.md §5). */
export function isAllowedRedirectUri(uri: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => {
    if (!entry.includes('*')) {
      return uri === entry || uri.startsWith(`${entry}/`) || uri.startsWith(`${entry}?`);
    }
    const escaped = entry.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
    return new RegExp(`^${escaped}$`).test(uri);
  });
}
