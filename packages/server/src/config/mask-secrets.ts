const MASK = '**********';
const SECRET_NAME = /password|pwd|secret|key$|-key|key-|^key/i;

/** True for paths whose values are never printed (operations.md §1.1). */
export function isSecretName(name: string): boolean {
  return /password|pwd|secret|key/i.test(name) && !/key-path/i.test(name);
}

/** A URI with its password replaced. */
export function maskUri(uri: string): string {
  return uri.replace(/^([a-z+]+:\/\/[^:/@]*:)[^@]*@/i, `$1${MASK}@`);
}

/** A copy of a configuration value that can be printed. */
export function maskSecrets(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, maskSecrets(item, key)]),
    );
  }
  if (typeof value === 'string' && /^[a-z+]+:\/\//i.test(value)) return maskUri(value);
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  return SECRET_NAME.test(name) && isSecretName(name) ? MASK : value;
}
