/** Files of the unified test format (MongoDB specifications, "Unified Test Format"): reading and choosing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EJSON } from 'bson';

export type Fields = Record<string, unknown>;

export interface Requirement {
  readonly minServerVersion?: string;
  readonly maxServerVersion?: string;
  readonly topologies?: readonly string[];
  readonly serverParameters?: Fields;
  readonly auth?: boolean;
  readonly authMechanism?: string;
  readonly csfle?: unknown;
  readonly serverless?: string;
}

export interface SpecOperation {
  readonly name: string;
  readonly object: string;
  readonly arguments?: Fields;
  readonly ignoreResultAndError?: boolean;
  readonly expectError?: Fields;
  readonly expectResult?: unknown;
  readonly saveResultAsEntity?: string;
}

export interface CollectionData {
  readonly databaseName: string;
  readonly collectionName: string;
  readonly createOptions?: Fields;
  readonly documents?: readonly Fields[];
}

export interface ExpectedEvents {
  readonly client: string;
  readonly eventType?: 'command' | 'cmap' | 'sdam';
  readonly events: readonly Record<string, Fields>[];
  readonly ignoreExtraEvents?: boolean;
}

export interface ExpectedLog {
  readonly client: string;
  readonly ignoreExtraMessages?: boolean;
  readonly ignoreMessages?: readonly Fields[];
  readonly messages: readonly Fields[];
}

export interface SpecTest {
  readonly description: string;
  readonly skipReason?: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly operations: readonly SpecOperation[];
  readonly expectEvents?: readonly ExpectedEvents[];
  readonly expectLogMessages?: readonly ExpectedLog[];
  readonly outcome?: readonly CollectionData[];
}

export interface SpecFile {
  /** Path below the folder of all files, without its ending. */
  readonly path: string;
  readonly description: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly createEntities?: readonly Record<string, Fields>[];
  readonly initialData?: readonly CollectionData[];
  readonly tests: readonly SpecTest[];
}

/** What the server under test is, for `runOnRequirements`. */
export interface ServerFacts {
  readonly version: string;
  readonly topology: string;
  readonly parameters: Fields;
}

/** All files in the unified test format below a folder, in the order of their paths. */
export function readSpecFiles(folder: string): SpecFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((path) => {
      const content = EJSON.parse(readFileSync(path, 'utf8'), { relaxed: true });
      if (!content?.schemaVersion || !Array.isArray(content.tests)) return [];
      const name = relative(folder, path)
        .split(sep)
        .join('/')
        .replace(/\.json$/, '');
      return [{ ...content, path: name }];
    });
}

/** Whether a file or a test is meant for such a server; no requirements are met by any. */
export function meetsAny(
  requirements: readonly Requirement[] | undefined,
  facts: ServerFacts,
): boolean {
  if (requirements === undefined || requirements.length === 0) return true;
  return requirements.some((requirement) => meets(requirement, facts));
}

function meets(requirement: Requirement, facts: ServerFacts): boolean {
  const { minServerVersion, maxServerVersion, topologies, serverParameters } = requirement;
  if (minServerVersion && compareVersions(facts.version, minServerVersion) < 0) return false;
  if (maxServerVersion && compareVersions(facts.version, maxServerVersion) > 0) return false;
  if (topologies !== undefined && !topologies.includes(facts.topology)) return false;
  // the server under test has no users, and the driver no encryption library
  if (requirement.auth === true || requirement.authMechanism !== undefined) return false;
  if (requirement.csfle !== undefined && requirement.csfle !== false) return false;
  if (requirement.serverless === 'require') return false;
  return Object.entries(serverParameters ?? {}).every(
    ([name, value]) => facts.parameters[name] === value,
  );
}

function compareVersions(left: string, right: string): number {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
