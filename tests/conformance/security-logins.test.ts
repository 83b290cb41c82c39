import { afterAll, beforeAll, describe } from 'vitest';
import { MONGO_SECURITY, testSecurityRows } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';
import { LOGIN_ROWS } from './security-logins.rows.ts';

const SERVICES = `authTokenService:
  redirect-url: https://app.example/in
oauthAuthorizationService:
  enabled: true
  login-url: https://app.example/login
csvLoader:
  enabled: true
`;

let target: Target;
beforeAll(async () => {
  target = await openTarget(ALL_DATABASES, MONGO_SECURITY + SERVICES);
});
afterAll(() => target.close());

describe('logins', () => testSecurityRows(() => target.baseUrl, LOGIN_ROWS));
