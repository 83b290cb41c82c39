import { describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine();

const order = (command: object): Promise<object> =>
  test()
    .client.db('admin')
    .command(command)
    .catch((thrown: unknown) => thrown as object);

describe('commands about the server', () => {
  it.each([
    [{ setFeatureCompatibilityVersion: '8.0', confirm: true }, { ok: 1 }],
    [{ setFeatureCompatibilityVersion: '8.0' }, { code: 7369100 }],
    [{ setFeatureCompatibilityVersion: '3.6', confirm: true }, { code: 4926900 }],
    [
      { getParameter: 1, featureCompatibilityVersion: 1 },
      { featureCompatibilityVersion: { version: '8.0' } },
    ],
    [
      { getParameter: 1, authenticationMechanisms: 1 },
      { authenticationMechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-256'] },
    ],
    [{ getParameter: 1, logComponentVerbosity: 1 }, { logComponentVerbosity: { verbosity: 0 } }],
    [{ setParameter: 1, noSuchParameter: 1 }, { code: 72 }],
    [
      { setParameter: 1, transactionLifetimeLimitSeconds: 60 },
      { was: 60, ok: 1 },
    ],
    [{ getCmdLineOpts: 1 }, { parsed: { replication: { replSet: 'quorate' } } }],
    [{ getLog: '*' }, { names: ['global', 'startupWarnings'] }],
    [{ getLog: 'nothing' }, { code: 96 }],
    [{ logRotate: 1 }, { ok: 1 }],
    [{ replSetStepDown: 1 }, { codeName: 'ExceededTimeLimit' }],
    [{ replSetStepDown: 1, secondaryCatchUpPeriodSecs: 5 }, { code: 2 }],
    [{ replSetFreeze: 1 }, { codeName: 'NotSecondary' }],
    [{ replSetMaintenance: 1 }, { codeName: 'NotSecondary' }],
    [{ replSetStepUp: 1 }, { ok: 1 }],
    [{ replSetInitiate: {} }, { codeName: 'AlreadyInitialized' }],
    [{ replSetReconfig: {} }, { codeName: 'InvalidReplicaSetConfig' }],
    [
      { replSetReconfig: { _id: 'other', members: [{}] } },
      { codeName: 'NewReplicaSetConfigurationIncompatible' },
    ],
    [{ replSetReconfig: { _id: 'quorate', members: [{}, {}] } }, { codeName: 'NodeNotFound' }],
    [
      { mapReduce: 'c', map: 'function() {}', reduce: 'function() {}', out: { inline: 1 } },
      { code: 16149 },
    ],
    [{ reIndex: 'c' }, { codeName: 'IllegalOperation' }],
  ])('answer %o with %o', async (command, expected) => {
    expect(await order(command)).toMatchObject(expected);
  });

  it('let the time of the oplog advance by a note', async () => {
    const time = async (): Promise<string> =>
      String(
        ((await order({ appendOplogNote: 1, data: { by: 'test' } })) as { operationTime: unknown })
          .operationTime,
      );
    expect(BigInt(await time())).toBeLessThan(BigInt(await time()));
  });
});

describe('default concerns', () => {
  it.each([
    [{}, 2],
    [{ defaultReadConcern: { level: 'snapshot' } }, 2],
    [{ defaultReadConcern: { level: 'linearizable' } }, 2],
    [{ defaultWriteConcern: { w: 0 } }, 2],
    [{ defaultWriteConcern: { w: 99 } }, 9],
  ])('refuse %o with code %i', async (fields, code) => {
    expect(await order({ setDefaultRWConcern: 1, ...fields })).toMatchObject({ code });
  });

  it('are implicit, then as set, for writes that name none, across a restart', async () => {
    const implicit = {
      defaultWriteConcernSource: 'implicit',
      defaultReadConcernSource: 'implicit',
    };
    expect(await order({ getDefaultRWConcern: 1 })).toMatchObject(implicit);
    const concerns = {
      defaultReadConcern: { level: 'majority' },
      defaultWriteConcern: { w: 2, wtimeout: 50 },
    };
    const set = await order({ setDefaultRWConcern: 1, ...concerns });
    expect(set).toMatchObject({ ...concerns, defaultWriteConcernSource: 'global' });
    await test().restart();
    expect(await order({ getDefaultRWConcern: 1 })).toMatchObject(concerns);
    const insert = { insert: 'c', documents: [{}] };
    expect(await order(insert)).toMatchObject({
      code: 100,
      errorResponse: {
        writeConcernError: { errInfo: { writeConcern: { w: 2, provenance: 'customDefault' } } },
      },
    });
    expect(await order({ ...insert, writeConcern: { w: 1 } })).toMatchObject({ n: 1, ok: 1 });
    expect(await order({ setDefaultRWConcern: 1, defaultWriteConcern: {} })).toMatchObject({
      code: 20,
    });
    await order({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 1 } });
    expect(await order(insert)).toMatchObject({ n: 1, ok: 1 });
  });
});
