/** Joins `$text` of a command's filter with the text index of the collection it is about. */
import { toNumber } from '../bson/numeric.ts';
import { type Document, isDocument, toDouble, type Value } from '../bson/value.ts';
import type { Index } from '../catalog/index.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { TextNode } from '../query/filter-node.ts';
import {
  compileTextSearch,
  type TextIndexOptions,
  type TextSearch,
} from '../query/text/text-search.ts';
import type { CommandContext } from './context.ts';

/** The text search of one command, once its filter has been compiled. */
export class CommandTextSearch {
  readonly #context: CommandContext;
  #search: TextSearch | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** True when the filter searches texts, so that documents have scores. */
  get isUsed(): boolean {
    return this.#search !== undefined;
  }

  /** @throws IndexNotFound when the collection has no text index */
  readonly compile = (node: TextNode): ((document: Document) => boolean) => {
    const search = compileTextSearch(node, optionsOf(this.#findIndex()));
    this.#search = search;
    return search.matches;
  };

  /** The value of `{$meta: name}` for a whole document. */
  readonly metaOf = (document: Document, name: string): Value | undefined => {
    if (name !== 'textScore' || this.#search === undefined) return undefined;
    return toDouble(this.#search.score(document));
  };

  #findIndex(): Index {
    const { services, view, database, args, request } = this.#context;
    let name = args.get(request.name);
    let index: Index | undefined;
    while (typeof name === 'string') {
      const collection = services.catalog.find(view, database, name);
      index = collection?.indexes.find(({ kind, isReady }) => kind === 'text' && isReady);
      name = collection?.options.get('viewOn');
    }
    if (index !== undefined) return index;
    throw new MongoCommandError('IndexNotFound', 'text index required for $text query');
  }
}

function optionsOf({ spec }: Index): TextIndexOptions {
  const weights = spec.document.get('weights');
  return {
    weights: new Map(
      isDocument(weights)
        ? [...weights].map(([path, weight]) => [path, Number(toNumber(weight as number))])
        : [],
    ),
    defaultLanguage: String(spec.document.get('default_language')),
    languageOverride: String(spec.document.get('language_override')),
  };
}
