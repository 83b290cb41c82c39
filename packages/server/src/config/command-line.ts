import { parseArgs } from 'node:util';
import type { ConfigSources } from './load.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly message: string }
  | {
      readonly kind: 'lb-config';
      readonly balancer: string;
      readonly nodes: readonly string[] | undefined;
      readonly sources: ConfigSources;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: number;
      readonly port: number;
      readonly data: string;
    }
  | { readonly kind: 'engine'; readonly data: string; readonly port: number; readonly host: string }
  | {
      readonly kind: 'backup' | 'restore';
      readonly data: string;
      readonly uri: string | undefined;
      /** The folder of the backup. */
      readonly folder: string;
    }
  | { readonly kind: 'check'; readonly data: string }
  | {
      readonly kind: 'can';
      /** `-`: nobody. */
      readonly user: string;
      readonly method: string;
      readonly path: string;
      readonly url: string;
      readonly rules: string | undefined;
    }
  | {
      readonly kind: 'start' | 'print-configuration' | 'print-template';
      readonly sources: ConfigSources;
      readonly isForked: boolean;
    };

/** Shown by `-h`, and after a bad option. */
export const USAGE = `Usage: quorate [start] [options] [CONF_FILE]
       quorate engine --data DIR [--port N] [--host H]
       quorate backup [--data DIR | --mongodb-uri URI] FOLDER
       quorate restore [--data DIR | --mongodb-uri URI] FOLDER
       quorate check [DIR]
       quorate can USER|- METHOD PATH [--url http://localhost:8080] [--rules FILE]
       quorate cluster [--nodes 3] [--port 8080] [--data DIR]
       quorate lb-config haproxy|nginx|caddy|envoy|traefik|alb [--nodes HOST:PORT,…] [-o FILE] [CONF_FILE]

Serves MongoDB's documents over HTTP. Without CONF_FILE and without a MongoDB URI it starts
its embedded database on the folder ./quorate-data.

  CONF_FILE                         configuration file (YAML); replaces the defaults
  -o, --rho FILE                    override file (.yml .yaml .json .jsonc .conf)
  -s, --standalone                  without MongoDB and what needs it
  -c, --printConfiguration          print the effective configuration and exit
  -t, --printConfigurationTemplate  print every key with its default and exit
      --port N, --host H            of the HTTP listener
      --data DIR                    folder of the embedded database
      --mongodb-uri URI             database to use instead of the embedded one
      --fork                        run in the background
  -v, --version                     print the version and exit
  -h, --help                        print this and exit

Environment: MONGODB_URI, PORT, HOST, QUORATE_DATA, RHO, RHO_FILE, RESTHEART_CONF_FILE.
Later wins: defaults, CONF_FILE, MONGODB_URI PORT HOST QUORATE_DATA, override file, RHO, options.
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  printConfiguration: { type: 'boolean', short: 'c' },
  printConfigurationTemplate: { type: 'boolean', short: 't' },
  standalone: { type: 'boolean', short: 's' },
  rho: { type: 'string', short: 'o' },
  fork: { type: 'boolean' },
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  'mongodb-uri': { type: 'string' },
  nodes: { type: 'string' },
  url: { type: 'string' },
  rules: { type: 'string' },
} as const;

/** Reads the arguments after the program's name. */
export function parseCommandLine(
  args: readonly string[],
  environment: ConfigSources['environment'],
): Command {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(args);
  } catch (error) {
    return wrong(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
  const { values } = parsed;
  const positionals = [...parsed.positionals];
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  if (positionals[0] === 'engine') return engineCommand(values, positionals.slice(1), environment);
  if (positionals[0] === 'cluster')
    return clusterCommand(values, positionals.slice(1), environment);
  const balancer = positionals[0] === 'lb-config' ? positionals.splice(0, 2)[1] : undefined;
  if (positionals[0] === 'can') return canCommand(values, positionals.slice(1));
  const maintenance = maintenanceCommand(values, positionals, environment);
  if (maintenance !== undefined) return maintenance;
  if (positionals[0] === 'start') positionals.shift();
  if (positionals.length > 1) return wrong(`Unmatched argument: ${positionals[1]}`);
  const sources: ConfigSources = {
    configFile: positionals[0],
    overrideFile: values.rho,
    isStandalone: values.standalone,
    flags: {
      host: values.host,
      port: values.port,
      data: values.data,
      mongodbUri: values['mongodb-uri'],
    },
    environment,
  };
  if (balancer !== undefined) {
    return { kind: 'lb-config', balancer, nodes: values.nodes?.split(','), sources };
  }
  const isForked = values.fork === true;
  if (values.printConfiguration === true) return { kind: 'print-configuration', sources, isForked };
  if (values.printConfigurationTemplate === true)
    return { kind: 'print-template', sources, isForked };
  return { kind: 'start', sources, isForked };
}

/** `-o=FILE`, which Node takes for a file called `=FILE`. */
const SHORT_WITH_EQUALS = /^(-[a-z]*o)=(.+)$/s;

function parseOptions(args: readonly string[]) {
  const split = args.flatMap((arg) => SHORT_WITH_EQUALS.exec(arg)?.slice(1) ?? [arg]);
  return parseArgs({ args: split, options: OPTIONS, allowPositionals: true, strict: true });
}

function clusterCommand(
  values: { readonly data?: string; readonly port?: string; readonly nodes?: string },
  rest: readonly string[],
  environment: ConfigSources['environment'],
): Command {
  if (rest.length > 0) return wrong(`Unmatched argument: ${rest[0]}`);
  const nodes = Number(values.nodes ?? '3');
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 16)
    return wrong(`--nodes must be a whole number from 1 to 16, not ${values.nodes}`);
  const port = Number(values.port ?? '8080');
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return wrong(`--port must be a whole number from 1 to 65535, not ${values.port}`);
  const data = values.data ?? environment['QUORATE_DATA'] ?? './quorate-data';
  return { kind: 'cluster', nodes, port, data };
}

function engineCommand(
  values: { readonly data?: string; readonly port?: string; readonly host?: string },
  rest: readonly string[],
  environment: ConfigSources['environment'],
): Command {
  if (rest.length > 0) return wrong(`Unmatched argument: ${rest[0]}`);
  const port = Number(values.port ?? '27017');
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return wrong(`--port must be a whole number from 0 to 65535, not ${values.port}`);
  return {
    kind: 'engine',
    data: values.data ?? environment['QUORATE_DATA'] ?? './quorate-data',
    port,
    host: values.host ?? '127.0.0.1',
  };
}

function canCommand(
  values: { readonly url?: string; readonly rules?: string },
  [user, method, path, ...rest]: readonly string[],
): Command {
  if (rest.length > 0) return wrong(`Unmatched argument: ${rest[0]}`);
  if (user === undefined || method === undefined || path === undefined)
    return wrong('quorate can needs USER (or - for nobody), METHOD and PATH');
  const url = values.url ?? 'http://localhost:8080';
  return { kind: 'can', user, method, path, url, rules: values.rules };
}

/** `backup`, `restore` and `check`. */
function maintenanceCommand(
  values: { readonly data?: string; readonly 'mongodb-uri'?: string },
  [name, ...rest]: readonly string[],
  environment: ConfigSources['environment'],
): Command | undefined {
  if (name !== 'backup' && name !== 'restore' && name !== 'check') return undefined;
  const [folder] = rest;
  if (rest.length > 1) return wrong(`Unmatched argument: ${rest[1]}`);
  const data = values.data ?? environment['QUORATE_DATA'] ?? './quorate-data';
  if (name === 'check') return { kind: 'check', data: folder ?? data };
  if (folder === undefined) return wrong(`quorate ${name} needs the folder of the backup`);
  const uri = values['mongodb-uri'];
  if (uri !== undefined && values.data !== undefined)
    return wrong('--data and --mongodb-uri name two databases; give one');
  return { kind: name, data, uri, folder };
}

function wrong(message: string): Command {
  return { kind: 'wrong', message };
}
