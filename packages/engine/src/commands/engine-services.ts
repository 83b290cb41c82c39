import type { UserAuthority } from '../auth/user-authority.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { SettingsStore } from '../catalog/settings-store.ts';
import type { Logger } from '../lib/logger.ts';
import type { Oplog } from '../oplog/oplog.ts';
import type { CursorRegistry } from '../session/cursor-registry.ts';
import type { OperationRegistry } from '../session/operation.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import type { LockableStore } from '../storage/lockable-store.ts';
import type { ConnectionRegistry } from './connection.ts';
import type { FailPoints } from './fail-points.ts';
import type { OperationCounters } from './operation-counters.ts';
import type { Profiler } from './profiler.ts';
import type { ServerIdentity } from './server-identity.ts';
import type { ServerParameters } from './server-parameters.ts';
import type { SoleMember } from './sole-member.ts';

/** The parts of a running engine that commands work with. */
export interface EngineServices {
  readonly store: LockableStore;
  readonly catalog: Catalog;
  readonly oplog: Oplog;
  readonly cursors: CursorRegistry;
  readonly operations: OperationRegistry;
  readonly sessions: SessionRegistry;
  readonly connections: ConnectionRegistry;
  readonly identity: ServerIdentity;
  /** Its role as the only member; the members of a rehearsed set keep theirs themselves. */
  readonly member: SoleMember;
  readonly settings: SettingsStore;
  readonly parameters: ServerParameters;
  readonly counters: OperationCounters;
  /** Present with test commands only. */
  readonly failPoints: FailPoints | undefined;
  readonly profiler: Profiler;
  readonly users: UserAuthority;
  readonly logger: Logger;
}
