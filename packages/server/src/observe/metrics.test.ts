import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../model/http-request.ts';
import { createRequestMetrics, Metrics } from './metrics.ts';
import { parsePathTemplate } from './path-template.ts';
import { RequestTimer } from './request-timer.ts';

describe('parsePathTemplate', () => {
  it.each([
    ['/*', '/', []],
    ['/*', '/a/b', []],
    ['/{tenant}/*', '/acme/x/y', [['tenant', 'acme']]],
    ['/{tenant}/*', '/acme', [['tenant', 'acme']]],
    ['/{tenant}/*', '/', undefined],
    ['/a/{id}', '/a/1', [['id', '1']]],
    ['/a/{id}', '/a/1/2', undefined],
    ['/metrics', '/metrics', []],
    ['/metrics', '/metrics/', undefined],
    ['/metrics/*', '/metrics/x', []],
  ])('matches %s with %s as %j', (template, path, variables) => {
    expect(parsePathTemplate(template).match(path)).toEqual(variables);
  });
});

describe('RequestTimer', () => {
  it('knows quantiles of the last durations, and rates', () => {
    const timer = new RequestTimer(0);
    for (let i = 1; i <= 100; i += 1) timer.record(i, i * 100);
    const { count, quantiles, rates } = timer.summarize(10_000);
    expect(count).toBe(100);
    expect(quantiles[0]).toEqual([0.5, 0.051]);
    expect(quantiles[4]).toEqual([0.99, 0.1]);
    expect(rates.map(([period]) => period)).toEqual([
      '15 minutes',
      '5 minutes',
      '1 minute',
      'overall',
    ]);
    for (const [, rate] of rates) expect(rate).toBeCloseTo(10, 0);
  });

  it('lets the short average fade first', () => {
    const timer = new RequestTimer(0);
    for (let i = 0; i < 50; i += 1) timer.record(1, 100);
    timer.record(1, 6000);
    const [fifteen, , one] = timer.summarize(300_000).rates.map(([, rate]) => rate);
    expect(one).toBeLessThan(fifteen ?? 0);
  });
});

describe('createRequestMetrics', () => {
  function event(path: string, serviceName: string | undefined = 'mongo') {
    const request = { method: 'GET', rawPath: path } as HttpRequest;
    const identity = { kind: 'anonymous' } as const;
    const rest = { status: 200, elapsedMs: 5, contentLength: 1, responseHeaders: [] };
    return { request, serviceName, identity, ...rest };
  }

  it('counts a request in each matching registry, unless it is excluded or met no service', () => {
    const metrics = new Metrics();
    const config = { include: ['/*', '/{tenant}/x'], exclude: ['/metrics'] };
    const observer = createRequestMetrics(config, metrics, () => 1000);
    expect(metrics.names()).toEqual([]);
    observer.ended(event('/metrics'));
    observer.ended({ ...event('/a'), serviceName: undefined });
    expect(metrics.names()).toEqual([]);
    observer.ended(event('/a'));
    observer.ended(event('/a"b/x'));
    expect(metrics.names()).toEqual(['/*', '/{tenant}/x']);
    expect(metrics.print('/*', 2000)).toContain(
      'http_requests_count{request_method="GET",path_template="/*",response_status_code="200",} 2.0\n',
    );
    expect(metrics.print('/{tenant}/x', 2000)).toContain(
      'path_template_param_tenant="a\\"b",quantile="0.5",} 0.005\n',
    );
  });
});

describe('Metrics', () => {
  const registry = {
    name: '/x',
    print: () =>
      '# TYPE a gauge\na 1\nb{c="}",} 2\nd{instance_name="own",node="n"} 3\ne{f="g"} NaN\n',
  };

  it('prints registries as they are, where the process has no labels', () => {
    const metrics = new Metrics();
    metrics.add(registry);
    expect(metrics.print('/x', 0)).toBe(registry.print());
    expect(metrics.print('/y', 0)).toBeUndefined();
  });

  it('adds the labels of the process to samples that lack them', () => {
    const metrics = new Metrics([
      ['instance_name', 'north "1"'],
      ['worker', '2'],
    ]);
    metrics.add(registry);
    expect(metrics.print('/x', 0)?.split('\n')).toEqual([
      '# TYPE a gauge',
      'a{instance_name="north \\"1\\"",worker="2",} 1',
      'b{instance_name="north \\"1\\"",worker="2",c="}",} 2',
      'd{worker="2",instance_name="own",node="n"} 3',
      'e{instance_name="north \\"1\\"",worker="2",f="g"} NaN',
      '',
    ]);
  });
});
