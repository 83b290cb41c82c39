import type { ReplicaSet } from './set-contract.ts';

/** What the control protocol answers: the set as it is after the order. */
export interface SetStatus {
  readonly ok: true;
  readonly uri: string;
  readonly primary: number | undefined;
  readonly members: readonly {
    readonly index: number;
    readonly address: string;
    readonly role: string;
    readonly isolated: boolean;
    readonly rollbacks: number;
  }[];
}

function statusOf(set: ReplicaSet): SetStatus {
  return {
    ok: true,
    uri: set.uri,
    primary: set.primary()?.index,
    members: set.members.map(({ index, address, role, isolated, rollbacks }) => ({
      index,
      address,
      role,
      isolated,
      rollbacks,
    })),
  };
}

/**
 * Carries out one order of the control protocol: `{ "order": "elect", "member": 1 }`.
 *
 * @throws for an unknown order, or one that cannot be carried out
 */
export async function runOrder(set: ReplicaSet, message: unknown): Promise<SetStatus> {
  const fields: Record<string, unknown> =
    typeof message === 'object' && message !== null ? { ...message } : {};
  const member = typeof fields['member'] === 'number' ? fields['member'] : undefined;
  const ms = typeof fields['ms'] === 'number' ? fields['ms'] : 0;
  const named = (): number => {
    if (member === undefined) throw new Error('the order needs a member');
    return member;
  };
  switch (fields['order']) {
    case 'status':
      break;
    case 'elect':
      await set.elect(named());
      break;
    case 'stepDown':
      await set.stepDown(member);
      break;
    case 'kill':
      await set.kill(named());
      break;
    case 'restart':
      await set.restart(named());
      break;
    case 'cutSockets':
      set.cutSockets(member);
      break;
    case 'isolate':
      set.isolate(named());
      break;
    case 'heal':
      set.heal(member);
      break;
    case 'setReplicationLag':
      set.setReplicationLag(named(), ms);
      break;
    case 'setLatency':
      set.setLatency(named(), ms);
      break;
    case 'waitForPrimary':
      await set.waitForPrimary();
      break;
    case 'settle':
      await set.settle();
      break;
    default:
      throw new Error(`unknown order: ${String(fields['order'])}`);
  }
  return statusOf(set);
}
