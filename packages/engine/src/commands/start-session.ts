import { randomBytes } from 'node:crypto';
import { Binary, toDocument } from '../bson/value.ts';
import { SESSION_TIMEOUT_MINUTES } from '../session/session-registry.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

const UUID_BYTES = 16;

/** `startSession` (manual). */
export const startSession: CommandDefinition = {
  name: 'startSession',
  help: 'Starts a session',
  privilege: 'none',
  fields: {},
  run({ services }) {
    const bytes = randomBytes(UUID_BYTES);
    // version 4, RFC 9562 section 5.4
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const id = toDocument({ id: new Binary(bytes, Binary.SUBTYPE_UUID) });
    services.sessions.use(id);
    return reply({ id, timeoutMinutes: SESSION_TIMEOUT_MINUTES });
  },
};
