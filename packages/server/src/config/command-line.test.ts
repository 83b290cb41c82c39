import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.ts';

describe('parseCommandLine', () => {
  it('starts by default, with an optional configuration file', () => {
    expect(parseCommandLine([], {})).toMatchObject({ kind: 'start' });
    const expected = { kind: 'start', sources: { configFile: 'a.yml', overrideFile: 'o.conf' } };
    expect(parseCommandLine(['-o', 'o.conf', 'a.yml'], {})).toMatchObject(expected);
    expect(parseCommandLine(['start', '--rho=o.conf', 'a.yml'], {})).toMatchObject(expected);
    expect(parseCommandLine(['-o=o.conf', 'a.yml'], {})).toMatchObject(expected);
    expect(parseCommandLine(['-so=o.conf', 'a.yml'], {})).toMatchObject(expected);
  });

  it.each([
    [['-h'], 'help'],
    [['--version'], 'version'],
    [['-c'], 'print-configuration'],
    [['-t', 'x.yml'], 'print-template'],
    [['--bad'], 'wrong'],
    [['a.yml', 'b.yml'], 'wrong'],
    [['engine', '--port', 'x'], 'wrong'],
  ])('reads %j as %s', (args, kind) => {
    expect(parseCommandLine(args, {}).kind).toBe(kind);
  });

  it('runs the engine alone on the folder that is given', () => {
    expect(parseCommandLine(['engine', '--data', 'd', '--port', '0'], {})).toEqual({
      kind: 'engine',
      data: 'd',
      port: 0,
      host: '127.0.0.1',
    });
  });
});
