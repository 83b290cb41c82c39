/** A definition that cannot be served; its message is the reason, in the words of graphql.md §3. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
}
