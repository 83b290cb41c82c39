import { verify } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { type AccountGuardSettings, AccountGuards } from './account-guards.ts';

const settings: AccountGuardSettings = {
  database: 'restheart',
  collection: 'users',
  passwordProperty: 'password',
  hashesPasswords: true,
  complexity: 4,
  minimumStrength: undefined,
  rolesProperty: 'roles',
  guardedRole: 'admin',
};
const guards = new AccountGuards(settings);

function toValue(json: unknown): BsonValue {
  if (Array.isArray(json)) return json.map(toValue);
  if (typeof json === 'object' && json !== null) {
    return new Map(Object.entries(json).map(([name, value]) => [name, toValue(value)]));
  }
  return json as BsonValue;
}
const content = (json: unknown) => toValue(json) as BsonDocument;

describe('AccountGuards', () => {
  it('hashes a password at the root and in $set', async () => {
    for (const body of [{ _id: 'a', password: 'secret' }, { $set: { password: 'secret' } }]) {
      const guarded = (await guards.guardContent(content(body), false)) as BsonDocument;
      const place = (guarded.get('$set') ?? guarded) as BsonDocument;
      expect(await verify('secret', String(place.get('password')))).toBe(true);
    }
  });

  it('hashes the password of each document of an array, and of an update pipeline', async () => {
    const array = (await guards.guardContent(
      toValue([{ password: 'x' }]) as BsonValue[],
      false,
    )) as BsonDocument[];
    expect(String(array[0]?.get('password'))).toMatch(/^\$2a\$04\$/);
    const pipeline = (await guards.guardContent(
      toValue([{ $set: { password: 'x' } }]) as BsonValue[],
      true,
    )) as BsonDocument[];
    expect(String((pipeline[0]?.get('$set') as BsonDocument | undefined)?.get('password'))).toMatch(
      /^\$2a\$04\$/,
    );
  });

  const refused: readonly (readonly [string, unknown, boolean])[] = [
    ['the root role in a document', { roles: ['user', 'admin'] }, false],
    ['the root role in $set', { $set: { roles: ['admin'] } }, true],
    ['the root role in a dotted path', { 'roles.0': 'admin' }, true],
    ['the root role by $push', { $push: { roles: 'admin' } }, true],
    ['the root role by $addToSet and $each', { $addToSet: { roles: { $each: ['admin'] } } }, true],
    ['a rename onto the roles', { $rename: { wish: 'roles' } }, true],
    ['a rename onto the password', { $rename: { wish: 'password' } }, true],
    ['a password by $min', { $min: { password: 'x' } }, true],
    ['roles that a pipeline computes', [{ $set: { roles: '$wish' } }], true],
    [
      'a password that a pipeline computes',
      [{ $set: { password: { $concat: ['a', 'b'] } } }],
      true,
    ],
    ['a pipeline that replaces the document', [{ $replaceWith: { roles: [] } }], true],
  ];
  for (const [name, body, isUpdate] of refused) {
    it(`refuses ${name}`, async () => {
      await expect(guards.guardContent(content(body), isUpdate)).rejects.toMatchObject({
        status: 403,
      });
    });
  }

  it('lets other roles pass', async () => {
    await expect(guards.guardContent(content({ roles: ['user'] }), false)).resolves.toBeDefined();
  });

  it('refuses a weak password and says where it is', async () => {
    const strict = new AccountGuards({ ...settings, minimumStrength: 3 });
    await expect(strict.guardContent(content({ password: '1234' }), false)).rejects.toMatchObject({
      status: 400,
      message: 'Password is too weak',
    });
    const array = toValue([
      { password: 'correct horse battery staple x9' },
      { password: 'aaa' },
    ]) as BsonValue[];
    await expect(strict.guardContent(array, false)).rejects.toMatchObject({
      message: 'Password is too weak in user document at index 1',
    });
  });

  it('refuses filters on the password, however they are hidden', () => {
    for (const filter of [
      { password: { $regex: '^a' } },
      { $or: [{ a: 1 }, { password: 'x' }] },
      { $expr: { $eq: ['$password', 'x'] } },
    ]) {
      expect(() => guards.checkFilter(content(filter))).toThrow('Using filters on the password');
    }
    expect(() => guards.checkFilter(content({ roles: 'user' }))).not.toThrow();
  });

  it('knows the collection without regard to case', () => {
    expect(guards.applyTo('RESTHeart', 'Users')).toBe(true);
    expect(guards.applyTo('restheart', 'other')).toBe(false);
  });
});
