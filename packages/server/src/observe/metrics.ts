import { type PathTemplate, parsePathTemplate } from './path-template.ts';
import type { EndedRequest, RequestObserver } from './request-observer.ts';
import { RequestTimer } from './request-timer.ts';

/** A named set of metrics that can print itself as Prometheus text 0.0.4. */
export interface MetricsRegistry {
  readonly name: string;
  print(nowMs: number): string;
}

/** Name and value. */
export type MetricLabel = readonly [name: string, value: string];

/** All registries of the process; their names come in alphabetical order. */
export class Metrics {
  readonly #registries = new Map<string, MetricsRegistry>();
  readonly #unlisted = new Set<string>();
  readonly #labels: readonly MetricLabel[];

  /** @param labels - carried by every sample: which instance, which worker (cluster.md C, E12) */
  constructor(labels: readonly MetricLabel[] = []) {
    this.#labels = labels;
  }

  /** @param options - `isListed` false: given when asked for, but not among the names, which RESTHeart's clients know */
  add(registry: MetricsRegistry, options: { readonly isListed?: boolean } = {}): void {
    this.#registries.set(registry.name, registry);
    if (options.isListed === false) this.#unlisted.add(registry.name);
  }

  names(): readonly string[] {
    return [...this.#registries.keys()].filter((name) => !this.#unlisted.has(name)).sort();
  }

  /** Text of a registry, with the labels of the process; undefined: there is none of that name. */
  print(name: string, nowMs: number): string | undefined {
    const text = this.#registries.get(name)?.print(nowMs);
    if (text === undefined || this.#labels.length === 0) return text;
    return text.replaceAll(SAMPLE, (sample, metric: string, labels: string | undefined) => {
      const missing = this.#labels.filter(([label]) => !sample.includes(`${label}="`));
      const added = missing.map(formatLabel).join('');
      const rest = sample.slice(metric.length);
      return `${metric}{${added}${labels === undefined ? `}${rest}` : rest.slice(1)}`;
    });
  }
}

/** A line that is no comment: name, labels if it has any, value (Prometheus' text format 0.0.4). */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{.*\})?.*$/gm;

interface Series {
  readonly labels: string;
  readonly timer: RequestTimer;
}

// a template variable with endless values must not fill the memory
const MAX_SERIES = 10_000;

class RequestRegistry implements MetricsRegistry {
  readonly name: string;
  readonly #template: PathTemplate;
  readonly #series = new Map<string, Series>();

  constructor(template: PathTemplate) {
    this.name = template.text;
    this.#template = template;
  }

  record(
    event: EndedRequest,
    variables: readonly (readonly [string, string])[],
    nowMs: number,
  ): void {
    // the key of the usual series costs one concatenation
    const own = `${event.request.method} ${event.status}`;
    const more = event.labels === undefined ? variables : [...event.labels, ...variables];
    const key = more.length === 0 ? own : `${own} ${JSON.stringify(more)}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) return;
      series = { labels: this.#labels(event, variables), timer: new RequestTimer(nowMs) };
      this.#series.set(key, series);
    }
    series.timer.record(event.elapsedMs, nowMs);
  }

  #labels(event: EndedRequest, variables: readonly (readonly [string, string])[]): string {
    const labels: [string, string][] = [
      ['request_method', event.request.method],
      ['path_template', this.#template.text],
      ['response_status_code', String(event.status)],
    ];
    labels.push(...(event.labels ?? []).map(([name, value]): [string, string] => [name, value]));
    for (const [name, value] of variables) labels.push([`path_template_param_${name}`, value]);
    return labels.map(formatLabel).join('');
  }

  print(nowMs: number): string {
    const durations: string[] = [];
    const rates: string[] = [];
    const counts: string[] = [];
    for (const { labels, timer } of this.#series.values()) {
      const summary = timer.summarize(nowMs);
      for (const [quantile, seconds] of summary.quantiles) {
        const label = formatLabel(['quantile', String(quantile)]);
        durations.push(`http_requests_duration{${labels}${label}} ${formatNumber(seconds)}`);
      }
      for (const [period, rate] of summary.rates) {
        const label = formatLabel(['period', period]);
        rates.push(`http_requests_rate{${labels}${label}} ${formatNumber(rate)}`);
      }
      counts.push(`http_requests_count{${labels}} ${formatNumber(summary.count)}`);
    }
    const head = [
      '# HELP http_requests_duration HTTP request duration and rate',
      '# TYPE http_requests_duration summary',
    ];
    return `${[...head, ...durations, ...rates, ...counts].join('\n')}\n`;
  }
}

function formatLabel([name, value]: readonly [string, string]): string {
  const safe = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `${name}="${safe}",`;
}

/** As Java prints a double: `20.0`. */
function formatNumber(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

export interface RequestMetricsConfig {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Counts and times the requests that reach services, one registry for each matching template (operations.md §5). */
export function createRequestMetrics(
  config: RequestMetricsConfig,
  metrics: Metrics,
  clock: () => number = Date.now,
): RequestObserver {
  const registries = config.include.map(parsePathTemplate).map((template) => ({
    template,
    registry: new RequestRegistry(template),
    isAdded: false,
  }));
  const exclude = config.exclude.map(parsePathTemplate);
  return {
    ended(event) {
      if (event.serviceName === undefined || event.isProxied === true) return;
      const path = event.request.rawPath;
      for (const template of exclude) if (template.match(path) !== undefined) return;
      const nowMs = clock();
      for (const entry of registries) {
        const variables = entry.template.match(path);
        if (variables === undefined) continue;
        if (!entry.isAdded) {
          entry.isAdded = true;
          metrics.add(entry.registry);
        }
        entry.registry.record(event, variables, nowMs);
      }
    },
  };
}

/** Memory of this process under the names of RESTHeart's JVM registry, where they mean something here. */
export function createProcessRegistry(): MetricsRegistry {
  return {
    name: '/jvm',
    print() {
      const { heapTotal, heapUsed, rss, external } = process.memoryUsage();
      const gauges: [string, number][] = [
        ['jvm_mem_heap_committed', heapTotal],
        ['jvm_mem_heap_used', heapUsed],
        ['jvm_mem_heap_usage', heapUsed / heapTotal],
        ['jvm_mem_non_heap_used', external],
        ['jvm_mem_total_used', rss],
        ['process_uptime_seconds', process.uptime()],
      ];
      return gauges
        .map(([name, value]) => `# TYPE ${name} gauge\n${name} ${formatNumber(value)}\n`)
        .join('');
    },
  };
}
