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
  it('is worth nothing from another machine, and whoever runs the server is told', () => {
    let told = 0;
    const mechanism = new BasicMechanism(
      { find: () => expect.unreachable() } as never,
      undefined as never,
      () => {
        told += 1;
      },
    );
    const authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
    expect(mechanism.authenticate(from('10.0.0.7') as never, authorization)).toBeUndefined();
    expect(told).toBe(1);
  });
});
