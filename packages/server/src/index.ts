/** The door for embedding Quorate in another program. */

import { type App, createApp } from './app/create-app.ts';
import { type ConfigSources, loadConfig } from './config/load.ts';

export type { App } from './app/create-app.ts';
export { type ConfigSources, type LoadedConfig, loadConfig } from './config/load.ts';
export { ERROR_CODES, type ErrorCode } from './errors/codes.ts';
export { QuorateError } from './errors/quorate-error.ts';
export type { HttpRequest, QueryParameters } from './model/http-request.ts';
export type { Reply, ReplyBody, ReplyHeader } from './model/reply.ts';
export type { Service, ServiceContext } from './model/service.ts';

/** Loads a configuration and starts a server with it. */
export async function createServer(sources: Partial<ConfigSources> = {}): Promise<App> {
  return createApp(loadConfig({ environment: {}, ...sources }));
}
