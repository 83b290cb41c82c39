import { ANONYMOUS } from '../model/identity.ts';
import type { Guard } from '../model/ports.ts';
import { OPEN_PERMIT } from './open-permit.ts';

/** Everyone is anonymous and may do everything: for a server on loopback without authentication. */
export const OPEN_GUARD: Guard = {
  protects: false,
  authenticate: () => ANONYMOUS,
  authorize: () => OPEN_PERMIT,
};
