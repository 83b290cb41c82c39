import type { LoadedConfig } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { QuorateError } from '../errors/quorate-error.ts';
import { type Listener, type ListenerLimits, startListener } from '../http/listener.ts';
import type { AnyService } from '../model/service.ts';
import { createConsoleSink, createFileSink } from '../observe/line-sink.ts';
import { createLog, type LineSink, type Log } from '../observe/log.ts';
import { followCertificate, readTls } from './certificates.ts';
import { type Composition, compose } from './compose.ts';
import { serveUntilQuiet } from './serve-until-quiet.ts';

/** A running server. */
export interface App {
  /** Of the first listener, without a trailing slash. */
  readonly url: string;
  readonly listeners: readonly Listener[];
  /** True while the embedded engine, or no database, is used. */
  readonly databaseUri: string | undefined;
  readonly log: Log;
  /** New requests get 503; resolves when the running ones have ended, or after the limit. */
  drain(): Promise<void>;
  /**
   * Drains, closes the listeners and everything behind them.
   *
   * @param options - `announceMs`: how long to serve on before, while saying that it ends (cluster.md E5)
   */
  close(options?: { readonly announceMs?: number }): Promise<void>;
}

/** What an embedding program may add. */
export interface AppOptions {
  /** Instead of the log that the section `logging` describes. */
  readonly log?: Log;
  /** Bound beside our own; on one URI they win. */
  readonly services?: readonly AnyService[];
}

/**
 * Starts a server with a loaded configuration.
 *
 * @throws ERR_CONFIG_LISTENER, ERR_CONFIG_ENGINE
 */
export async function createApp(config: LoadedConfig, options: AppOptions = {}): Promise<App> {
  const log = options.log ?? createLogFor(config);
  const { settings } = config;
  requireListener(settings);
  const composition = await compose(config, log, options.services);
  let listeners: Listener[] = [];
  try {
    listeners = await startListeners(settings, composition);
  } catch (error) {
    await composition.close();
    throw error;
  }
  for (const listener of listeners) announce(listener, log);
  composition.start();
  const secure = listeners.find((listener) => listener.secure);
  const unfollow = secure && followCertificate(settings['https-listener'], secure, log);

  const drain = async (spentMs = 0): Promise<void> => {
    composition.pipeline.drain();
    composition.endStreams();
    const limitMs = Math.max(0, settings['connection-options'].SHUTDOWN_TIMEOUT - spentMs);
    await waitForRequests(composition, listeners, limitMs, log);
  };
  let closing: Promise<void> | undefined;
  const close = async (announceMs: number): Promise<void> => {
    unfollow?.();
    composition.announceStop();
    let spentMs = 0;
    if (announceMs > 0) {
      log.info(`Not ready any more, serving for another ${announceMs} ms`);
      const half = settings['connection-options'].SHUTDOWN_TIMEOUT / 2;
      spentMs = await serveUntilQuiet(composition.pipeline, {
        announceMs,
        extraMs: Math.min(2 * announceMs, half),
        nowMs: () => performance.now(),
        pause,
      });
      if (spentMs > 0)
        log.info(`Requests came for another ${Math.round(spentMs)} ms`, {
          hint: 'Balancers notice late: raise /quorate/drain-delay above their probe interval times the failures they wait for',
        });
    }
    if (announceMs > 0) {
      // who does not probe, as nginx, is told by a refused connection; then even a write may be sent elsewhere
      for (const listener of listeners) await listener.stopAccepting();
      await pause(LAST_ACCEPTED_MS);
    }
    // both together are what an orchestrator was told to wait for
    await drain(spentMs);
    await Promise.all(listeners.map((listener) => listener.close()));
    await composition.close();
  };
  const [first] = listeners;
  return {
    url: first === undefined ? '' : urlOf(first),
    listeners,
    databaseUri: composition.databaseUri,
    log,
    drain: () => drain(),
    close: ({ announceMs = 0 } = {}) => {
      closing ??= close(announceMs);
      return closing;
    },
  };
}

/** The log that the section `logging` describes. */
export function createLogFor(config: LoadedConfig): Log {
  const { logging } = config.settings;
  const sinks: LineSink[] = [];
  if (logging['log-to-console']) sinks.push(createConsoleSink());
  if (logging['log-to-file']) sinks.push(createFileSink(logging['log-file-path']));
  const isTerminal = process.stdout.isTTY === true;
  const isText = logging.format === 'auto' ? isTerminal : logging.format === 'text';
  return createLog({
    level: logging['log-level'],
    format: isText ? 'text' : 'json',
    colors: isTerminal && logging['ansi-console'] && !logging['no-colors'],
    fullStackTrace: logging['full-stacktrace'],
    sinks,
  });
}

function requireListener(settings: Settings): void {
  if (settings['http-listener'].enabled || settings['https-listener'].enabled) return;
  throw new QuorateError('ERR_CONFIG_LISTENER', { message: 'No listener is enabled' });
}

/** Connections that were just accepted bring a request. */
const LAST_ACCEPTED_MS = 100;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

async function startListeners(settings: Settings, composition: Composition): Promise<Listener[]> {
  const limits = toLimits(settings);
  const onRequest = composition.pipeline.accept;
  const listeners: Listener[] = [];
  const http = settings['http-listener'];
  if (http.enabled) {
    listeners.push(
      await startListener({ host: toAddress(http.host), port: http.port, limits, onRequest }),
    );
  }
  const https = settings['https-listener'];
  if (https.enabled) {
    const tls = readTls(https);
    const http2 = settings['connection-options'].ENABLE_HTTP2;
    const { port } = https;
    listeners.push(
      await startListener({ host: toAddress(https.host), port, limits, tls, http2, onRequest }),
    );
  }
  const { 'admin-port': adminPort, 'admin-host': adminHost } = settings.quorate;
  if (adminPort >= 0) {
    const onRequest = composition.adminPipeline.accept;
    listeners.push(
      await startListener({ host: toAddress(adminHost), port: adminPort, limits, onRequest }),
    );
  }
  return listeners;
}

/** Java's `localhost` is 127.0.0.1; Node's may be ::1 alone, which IPv4 clients do not reach. */
function toAddress(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}

function toLimits(settings: Settings): ListenerLimits {
  const options = settings['connection-options'];
  const orElse = (value: number, fallback: number): number => (value < 0 ? fallback : value);
  return {
    maxBodyBytes: options.MAX_ENTITY_SIZE,
    maxMultipartBytes: options.MULTIPART_MAX_ENTITY_SIZE,
    bodyIdleTimeoutMs: options.BODY_IDLE_TIMEOUT,
    saysKeepAlive: options.ALWAYS_SET_KEEP_ALIVE,
    maxHeaderBytes: options.MAX_HEADER_SIZE,
    maxHeaders: options.MAX_HEADERS,
    headersTimeoutMs: orElse(options.REQUEST_PARSE_TIMEOUT, 60_000),
    requestTimeoutMs: 0,
    keepAliveTimeoutMs: orElse(options.NO_REQUEST_TIMEOUT, 75_000),
    idleTimeoutMs: orElse(options.IDLE_TIMEOUT, 0),
  };
}

function announce(listener: Listener, log: Log): void {
  const kind = listener.secure ? 'HTTPS' : 'HTTP';
  log.info(`${kind} listener bound at ${listener.host}:${listener.port}`);
  if (LOOPBACK.test(listener.host))
    log.info(`The ${kind} listener answers on this machine only (${listener.host})`);
}

function urlOf(listener: Listener): string {
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  return `${listener.secure ? 'https' : 'http'}://${host}:${listener.port}`;
}

/** A request has ended when its answer has left, and a client may be slow to take it. */
async function waitForRequests(
  { pipeline }: Composition,
  listeners: readonly Listener[],
  limitMs: number,
  log: Log,
): Promise<void> {
  const pending = (): number =>
    listeners.reduce((sum, listener) => sum + listener.unsent(), pipeline.inFlight());
  const closeIdle = (): void => {
    for (const listener of listeners) listener.closeIdle();
  };
  closeIdle();
  if (pending() === 0) return;
  log.info(`Waiting for ${pending()} pending requests to complete (up to ${limitMs} ms)`);
  const untilMs = performance.now() + limitMs;
  while (pending() > 0 && performance.now() < untilMs) {
    await pause(20);
    closeIdle();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
