import type { Permit } from '../model/permit.ts';

/** Everything is allowed. Only the process itself, and a server bound to loopback without authentication, may use it. */
export const OPEN_PERMIT: Permit = {
  allowManagementRequests: true,
  allowBulkPatch: true,
  allowBulkDelete: true,
  allowWriteMode: true,
} as Permit;
