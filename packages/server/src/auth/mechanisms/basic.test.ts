import { describe, expect, it } from 'vitest';
import { BasicMechanism, isFromThisMachine } from './basic.ts';

const from = (remoteAddress: string, headers: Record<string, string> = {}) => ({
  remoteAddress,
  header: (name: string) => headers[name],
});

describe('a client of this machine', () => {
  it.each([
    ['IPv4', from('127.0.0.1')],
    ['IPv6', from('::1')],
    ['IPv4 in IPv6', from('::ffff:127.0.0.1')],
    ['by a balancer here', from('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' })],
    ['by two', from('127.0.0.1', { 'x-forwarded-for': '127.0.0.1, ::1' })],
    ['named with a port', from('::1', { forwarded: 'for="[::1]:4711";proto=http' })],
  ])('is one: %s', (_name, request) => {
    expect(isFromThisMachine(request)).toBe(true);
  });

  it.each([
    ['another address', from('10.0.0.7')],
    ['one that only looks like it', from('127.0.0.1.example')],
    ['behind a balancer here', from('127.0.0.1', { 'x-forwarded-for': '10.0.0.7' })],
    ['who says so himself', from('127.0.0.1', { 'x-forwarded-for': '127.0.0.1, 10.0.0.7' })],
    ['an empty name', from('127.0.0.1', { 'x-forwarded-for': '' })],
    ['by RFC 7239', from('127.0.0.1', { forwarded: 'for=127.0.0.1, for=10.0.0.7' })],
    ['hidden', from('127.0.0.1', { forwarded: 'proto=https' })],
  ])('is not: %s', (_name, request) => {
    expect(isFromThisMachine(request)).toBe(false);
  });
});

describe('the password that every manual prints', () => {
  const authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
  const login = (admits: boolean, address: string) => {
    const asked: string[] = [];
    const mechanism = new BasicMechanism(
      { find: () => undefined, login: (name: string) => void asked.push(name) } as never,
      undefined as never,
      () => admits,
    );
    expect(mechanism.authenticate(from(address) as never, authorization)).toBeUndefined();
    return asked;
  };
  it('is worth nothing from another machine', () => {
    expect(login(false, '10.0.0.7')).toEqual([]);
    expect(login(false, '127.0.0.1')).toEqual(['admin']);
  });
  it('is one like any other where it is configured', () => {
    expect(login(true, '10.0.0.7')).toEqual(['admin']);
  });
});
