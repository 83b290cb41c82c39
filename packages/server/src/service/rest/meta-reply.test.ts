import { describe, expect, it } from 'vitest';
import { documentOf } from '../../model/bson.ts';
import { project } from './meta-reply.ts';

describe('project', () => {
  const meta = { _id: '_meta', a: 1, b: { c: 2, d: 3 }, l: [{ x: 1, y: 2 }, { y: 3 }] };
  it.each([
    [{ a: 1 }, { _id: '_meta', a: 1 }],
    [{ a: 1, _id: 0 }, { a: 1 }],
    [{ 'b.c': 1 }, { _id: '_meta', b: { c: 2 } }],
    [{ 'l.x': true }, { _id: '_meta', l: [{ x: 1 }, {}] }],
    [
      { a: 0, l: 0 },
      { _id: '_meta', b: { c: 2, d: 3 } },
    ],
    [
      { 'b.c': 0, l: 0 },
      { _id: '_meta', a: 1, b: { d: 3 } },
    ],
    [
      { _id: 0, l: 0 },
      { a: 1, b: { c: 2, d: 3 } },
    ],
    [{ nothing: 1 }, { _id: '_meta' }],
  ])('by %j gives %j', (projection, expected) => {
    expect(project(documentOf(meta), documentOf(projection))).toEqual(documentOf(expected));
  });
});
