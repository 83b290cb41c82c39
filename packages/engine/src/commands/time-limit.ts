import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Operation } from '../session/operation.ts';
import type { FailPoints } from './fail-points.ts';

/**
 * Gives an operation its `maxTimeMS`. The fail points `maxTimeAlwaysTimeOut` and `maxTimeNeverTimeOut`
 * of a server started for tests decide the outcome beforehand.
 *
 * @throws MaxTimeMSExpired under `maxTimeAlwaysTimeOut`
 */
export function applyTimeLimit(
  operation: Operation,
  maxTimeMs: number,
  failPoints: FailPoints | undefined,
): void {
  if (maxTimeMs <= 0 || failPoints?.enter('maxTimeNeverTimeOut') !== undefined) return;
  if (failPoints?.enter('maxTimeAlwaysTimeOut') !== undefined) {
    throw new MongoCommandError('MaxTimeMSExpired', 'operation exceeded time limit');
  }
  operation.limitTime(maxTimeMs);
}
