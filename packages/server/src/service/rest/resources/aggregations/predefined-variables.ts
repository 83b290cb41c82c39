/** Variables that every aggregation and change stream may use (rest-resources.md §6.2). */

import type { BsonDocument } from '../../../../model/bson.ts';
import type { Identity } from '../../../../model/identity.ts';
import type { Permit } from '../../../../model/permit.ts';

/** The client's variables with the predefined ones, which win. */
export function withPredefinedVariables(
  variables: BsonDocument | undefined,
  request: {
    readonly page: number;
    readonly pageSize: number;
    readonly identity: Identity;
    readonly permit: Permit;
  },
): BsonDocument {
  const { page, pageSize, identity, permit } = request;
  const all: BsonDocument = new Map(variables ?? []);
  all.set('@page', page);
  all.set('@pagesize', pageSize);
  all.set('@limit', pageSize);
  all.set('@skip', pageSize * (page - 1));
  all.set('@user', identity.kind === 'account' ? identity.properties : null);
  all.set('@mongoPermissions', permissionsOf(permit));
  all.set('@mongoPermissions.readFilter', permit.readFilter ?? null);
  all.set('@mongoPermissions.writeFilter', permit.writeFilter ?? null);
  all.set('@mongoPermissions.mergeRequest', permit.mergeRequest ?? null);
  all.set('@mongoPermissions.projectResponse', permit.projectResponse ?? null);
  return all;
}

function permissionsOf(permit: Permit): BsonDocument {
  return new Map<string, boolean | BsonDocument | null>([
    ['allowManagementRequests', permit.allowManagementRequests],
    ['allowBulkPatch', permit.allowBulkPatch],
    ['allowBulkDelete', permit.allowBulkDelete],
    ['allowWriteMode', permit.allowWriteMode],
    ['readFilter', permit.readFilter ?? null],
    ['writeFilter', permit.writeFilter ?? null],
  ]);
}
