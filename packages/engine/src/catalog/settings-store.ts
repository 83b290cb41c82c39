import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import type { Document, Value } from '../bson/value.ts';
import type { Store } from '../storage/store.ts';

export type SettingName = 'defaultRwConcern';

/** Settings that are kept with the data, and in memory as well: every command asks for some. */
export class SettingsStore {
  readonly #store: Store;
  readonly #values = new Map<SettingName, Document>();

  constructor(store: Store) {
    this.#store = store;
    this.reload();
  }

  get(name: SettingName): Document | undefined {
    return this.#values.get(name);
  }

  /** The write concern of commands that name none; undefined while nobody has set it. */
  get defaultWriteConcern(): Value | undefined {
    return this.#values.get('defaultRwConcern')?.get('defaultWriteConcern');
  }

  async save(name: SettingName, value: Document): Promise<void> {
    const bytes = encodeDocument(value);
    await this.#store.write((batch) => batch.put('meta', keyOf(name), bytes), { durable: true });
    this.#values.set(name, value);
  }

  /** Reads the settings again: the store was changed by other means than this object. */
  reload(): void {
    this.#values.clear();
    const name = 'defaultRwConcern';
    const stored = this.#store.latest.get('meta', keyOf(name));
    if (stored !== undefined) this.#values.set(name, decodeDocument(stored));
  }
}

function keyOf(name: SettingName): Uint8Array {
  return Buffer.from(`setting:${name}`);
}
