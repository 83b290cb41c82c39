/** A client of the driver under observation: its events and log lines are kept. */
import { MongoClient, type MongoClientOptions } from 'mongodb';
import type { Fields } from './spec-file.ts';

export type EventFamily = 'command' | 'cmap' | 'sdam';

export interface RecordedEvent {
  /** Its name in the test format, such as `commandStartedEvent`. */
  readonly name: string;
  readonly family: EventFamily;
  readonly event: Fields;
}

export interface LogLine {
  readonly level: unknown;
  readonly component: unknown;
  readonly data: Fields;
}

const FAMILIES: Record<EventFamily, Record<string, string>> = {
  command: {
    commandStartedEvent: 'commandStarted',
    commandSucceededEvent: 'commandSucceeded',
    commandFailedEvent: 'commandFailed',
  },
  cmap: {
    poolCreatedEvent: 'connectionPoolCreated',
    poolReadyEvent: 'connectionPoolReady',
    poolClearedEvent: 'connectionPoolCleared',
    poolClosedEvent: 'connectionPoolClosed',
    connectionCreatedEvent: 'connectionCreated',
    connectionReadyEvent: 'connectionReady',
    connectionClosedEvent: 'connectionClosed',
    connectionCheckOutStartedEvent: 'connectionCheckOutStarted',
    connectionCheckOutFailedEvent: 'connectionCheckOutFailed',
    connectionCheckedOutEvent: 'connectionCheckedOut',
    connectionCheckedInEvent: 'connectionCheckedIn',
  },
  sdam: {
    serverDescriptionChangedEvent: 'serverDescriptionChanged',
    serverHeartbeatStartedEvent: 'serverHeartbeatStarted',
    serverHeartbeatSucceededEvent: 'serverHeartbeatSucceeded',
    serverHeartbeatFailedEvent: 'serverHeartbeatFailed',
    serverOpeningEvent: 'serverOpening',
    serverClosedEvent: 'serverClosed',
    topologyOpeningEvent: 'topologyOpening',
    topologyClosedEvent: 'topologyClosed',
    topologyDescriptionChangedEvent: 'topologyDescriptionChanged',
  },
};

const SENSITIVE: ReadonlySet<string> = new Set([
  'authenticate',
  'saslStart',
  'saslContinue',
  'getnonce',
  'createUser',
  'updateUser',
  'copydbgetnonce',
  'copydbsaslstart',
  'copydb',
]);

const HELLOS: ReadonlySet<string> = new Set(['hello', 'ismaster', 'isMaster']);

export class RecordedClient {
  readonly client: MongoClient;
  readonly events: RecordedEvent[] = [];
  readonly logLines: LogLine[] = [];
  readonly #unlisten: (() => void)[] = [];
  readonly #description: Fields;
  readonly #ignored: ReadonlySet<string>;

  constructor(uri: string, description: Fields) {
    this.#description = description;
    this.#ignored = new Set([
      'configureFailPoint',
      ...((description['ignoreCommandMonitoringEvents'] as string[] | undefined) ?? []),
    ]);
    const severities = description['observeLogMessages'] as Record<string, string> | undefined;
    const options: Record<string | symbol, unknown> = {
      monitorCommands: true,
      // the driver's own test suites leave out the ping, which other drivers do not send
      __skipPingOnConnect: true,
      ...(description['serverApi'] !== undefined && { serverApi: description['serverApi'] }),
      ...(severities !== undefined && {
        mongodbLogPath: {
          write: (line: Fields) =>
            this.logLines.push({ level: line['s'], component: line['c'], data: { ...line } }),
        },
        mongodbLogComponentSeverities: { default: 'off', ...severities },
        mongodbLogMaxDocumentLength: 1250,
      }),
    };
    this.client = new MongoClient(uri, options as MongoClientOptions);
    const observed = (description['observeEvents'] as string[] | undefined) ?? [];
    for (const name of observed) this.#observe(name);
  }

  stopRecording(): void {
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  #observe(name: string): void {
    for (const family of ['command', 'cmap', 'sdam'] as const) {
      const emitted = FAMILIES[family][name];
      if (emitted === undefined) continue;
      const listener = (event: Fields): void => {
        if (family === 'command' && this.#isHidden(event)) return;
        this.events.push({ name, family, event });
      };
      const emitter = this.client as unknown as {
        on(name: string, listener: (event: Fields) => void): void;
        off(name: string, listener: (event: Fields) => void): void;
      };
      emitter.on(emitted, listener);
      this.#unlisten.push(() => emitter.off(emitted, listener));
    }
  }

  #isHidden(event: Fields): boolean {
    const name = String(event['commandName']);
    if (this.#ignored.has(name)) return true;
    if (this.#description['observeSensitiveCommands'] === true) return false;
    if (SENSITIVE.has(name)) return true;
    // the driver empties a hello that authenticates
    const content = event['command'] ?? event['reply'];
    return (
      HELLOS.has(name) && typeof content === 'object' && Object.keys(content ?? {}).length === 0
    );
  }
}
