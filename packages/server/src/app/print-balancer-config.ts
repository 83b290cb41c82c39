import {
  BALANCER_KINDS,
  type BalancerKind,
  balancerConfig,
} from '../cluster/load-balancer/balancer-config.ts';
import { DEFAULT_BALANCER_SETTINGS } from '../cluster/load-balancer/settings.ts';
import type { LoadedConfig } from '../config/load.ts';

/** `quorate lb-config KIND`: the balancer's configuration for nodes that are configured like this; gives the exit code. */
export function printBalancerConfig(
  kind: string,
  nodes: readonly string[] | undefined,
  { settings }: LoadedConfig,
): number {
  if (!(BALANCER_KINDS as readonly string[]).includes(kind)) {
    process.stderr.write(`${kind} is none of ${BALANCER_KINDS.join(', ')}\n`);
    return 1;
  }
  const { rndTokenManager, health, quorate } = settings;
  const drainMs =
    Math.max(quorate['drain-delay'], 5000) + settings['connection-options'].SHUTDOWN_TIMEOUT;
  const text = balancerConfig(kind as BalancerKind, {
    ...DEFAULT_BALANCER_SETTINGS,
    ...(nodes !== undefined && { nodes }),
    // a random token is known to the node that issued it alone
    isSticky: rndTokenManager.enabled,
    tokenTtlMinutes: rndTokenManager.ttl,
    healthPath: `${health.uri}/ready`,
    drainSeconds: Math.ceil(drainMs / 1000) + 5,
  });
  process.stdout.write(text);
  return 0;
}
