/** For tests only: a replica set whose failures can be ordered (docs/reference/engine-testing.md). */
export type { MemberRole } from './member-runner.ts';
export { startReplicaSet } from './replica-set.ts';
export type { ReplicaSet, ReplicaSetMember, ReplicaSetOptions } from './set-contract.ts';
