import { readFileSync, statSync } from 'node:fs';

/** What this build calls itself. */
export interface BuildInfo {
  readonly version: string;
  /** When the running code was built. */
  readonly builtAt: Date;
}

/** Reads the package's own version, and the time of this very file as the time of the build. */
export function readBuildInfo(): BuildInfo {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : '0.0.0';
  return { version, builtAt: statSync(new URL(import.meta.url)).mtime };
}

/** `yyyy-MM-ddTHH:mm:ssZ`, as `/ping` shows it. */
export function formatBuildTime(builtAt: Date): string {
  return `${builtAt.toISOString().slice(0, 19)}Z`;
}
