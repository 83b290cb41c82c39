#!/usr/bin/env node
/** Process entry: arguments → configuration → server → signals → exit code. */

import { type Command, parseCommandLine, USAGE } from './config/command-line.ts';
import { loadConfig } from './config/load.ts';
import { readBuildInfo } from './config/version.ts';
import { isQuorateError } from './errors/quorate-error.ts';

const EXIT_BAD_OPTION = 1;
const EXIT_START_FAILED = 254;
const EXIT_CONFIGURATION = 255;

async function run(command: Command): Promise<number | undefined> {
  switch (command.kind) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`${versionLine()}\n`);
      return 0;
    case 'wrong':
      process.stderr.write(`${command.message}\n${USAGE}`);
      return EXIT_BAD_OPTION;
    case 'engine': {
      const { runEngine } = await import('./app/run-engine.ts');
      await runEngine(command);
      return undefined;
    }
    case 'lb-config': {
      const { printBalancerConfig } = await import('./app/print-balancer-config.ts');
      return printBalancerConfig(command.balancer, command.nodes, loadConfig(command.sources));
    }
    case 'cluster': {
      const { runCluster } = await import('./app/run-cluster.ts');
      await runCluster(command);
      return undefined;
    }
    case 'backup':
    case 'restore':
    case 'check': {
      const { runMaintenance } = await import('./app/run-maintenance.ts');
      return runMaintenance(command);
    }
    case 'can': {
      const { runCan } = await import('./app/run-can.ts');
      return runCan(command, process.env);
    }
    case 'print-template':
      process.stderr.write((await import('./config/print.ts')).printTemplate());
      return 0;
    case 'print-configuration': {
      const { printConfiguration } = await import('./config/print.ts');
      process.stderr.write(printConfiguration(loadConfig(command.sources)));
      return 0;
    }
    case 'start': {
      const config = loadConfig(command.sources);
      const { forkIntoBackground, runServer } = await import('./app/lifecycle.ts');
      if (command.isForked) {
        process.stdout.write(`Quorate runs in the background, pid ${forkIntoBackground()}\n`);
        return 0;
      }
      await runServer(config);
      return undefined;
    }
  }
}

/** `Quorate Version <v> Build-Time yyyy-MM-dd HH:mm:ss UTC` */
function versionLine(): string {
  const { version, builtAt } = readBuildInfo();
  const time = builtAt.toISOString().slice(0, 19).replace('T', ' ');
  return `Quorate Version ${version} Build-Time ${time} UTC`;
}

/** One clear line for what the operator can mend, a stack for what only we can. */
function reportFailure(error: unknown): number {
  if (isQuorateError(error) && error.family === 'config') {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    process.stderr.write(`${error.code}: ${error.message}${hint}\n`);
    return EXIT_CONFIGURATION;
  }
  process.stderr.write(
    `Quorate could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_START_FAILED;
}

try {
  const code = await run(parseCommandLine(process.argv.slice(2), process.env));
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  // exit rather than exitCode: half-started parts may hold the event loop open
  process.exit(reportFailure(error));
}
