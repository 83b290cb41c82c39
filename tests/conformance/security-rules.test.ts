import { afterAll, beforeAll, describe } from 'vitest';
import { MONGO_SECURITY, testSecurityRows } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';
import { PERMISSION_ROWS } from './security-permissions.rows.ts';
import { PREDICATE_ROWS } from './security-predicates.rows.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget(ALL_DATABASES, MONGO_SECURITY);
});
afterAll(() => target.close());
const baseUrl = (): string => target.baseUrl;

describe('predicates', () => testSecurityRows(baseUrl, PREDICATE_ROWS));
describe('permissions', () => testSecurityRows(baseUrl, PERMISSION_ROWS));
