/** An event as it goes out: a frame's text, or the lines of SSE (streams.md §3, §4). */
import type { JsonMode } from '../../representation/json-mode.ts';
import { writeJson } from '../../representation/json-writer.ts';
import type { StreamEvent } from './stream-worker.ts';

export type Transport = 'websocket' | 'sse';

type EventFormat = (event: StreamEvent) => string;

const formats = new Map<string, EventFormat>();

/** One function for each transport and mode, so that clients which share it share its texts. */
export function eventFormat(transport: Transport, mode: JsonMode): EventFormat {
  const key = `${transport} ${mode}`;
  let format = formats.get(key);
  if (format === undefined) {
    format =
      transport === 'websocket'
        ? ({ document }) => writeJson(document, mode)
        : ({ id, document }) => `id:${id}\nevent:change\ndata:${writeJson(document, mode)}\n\n`;
    formats.set(key, format);
  }
  return format;
}
