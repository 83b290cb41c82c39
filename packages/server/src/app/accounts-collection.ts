import type { Settings } from '../config/schema.ts';

/**
 * Tells the collection of accounts, whose passwords are hashed on the way in and hidden on the way out: only the REST
 * API does both, so other ways to documents stay away from it. Names compare in any case, as there.
 */
export function createAccountsTest(
  settings: Settings,
): (namespace: { readonly database: string; readonly collection: string }) => boolean {
  const realm = settings.mongoRealmAuthenticator;
  const database = realm['users-db'].toLowerCase();
  const collection = realm['users-collection'].toLowerCase();
  return (namespace) =>
    namespace.database.toLowerCase() === database &&
    namespace.collection.toLowerCase() === collection;
}
