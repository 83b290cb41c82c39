/** Credentials in a form body (security.md §4.1; RFC 6749 §4.3, §4.4). */
import { QuorateError } from '../../errors/quorate-error.ts';
import type { HttpRequest } from '../../model/http-request.ts';

/** What a form asks for. */
export type FormCredentials =
  | { readonly kind: 'credentials'; readonly name: string; readonly secret: string }
  | { readonly kind: 'code'; readonly form: URLSearchParams }
  | { readonly kind: 'refresh'; readonly token: string };

/** True for a form body, with or without a charset. */
export function isForm(request: HttpRequest): boolean {
  return (request.header('content-type') ?? '').startsWith('application/x-www-form-urlencoded');
}

/** The fields of a form body. */
export function readForm(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'));
}

/** Fields with name and secret by grant; a Map, for the grant's name comes from the client. */
const FIELDS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['password', ['username', 'password']],
  ['client_credentials', ['client_id', 'client_secret']],
]);

/** @throws ERR_REQUEST_BODY, without a body, for an unknown grant or a missing field */
export function readFormCredentials(
  form: URLSearchParams,
  { takesRefresh }: { readonly takesRefresh: boolean },
): FormCredentials {
  const grant = form.get('grant_type');
  const refresh = form.get('refresh_token');
  if (takesRefresh && grant === 'refresh_token' && refresh) {
    return { kind: 'refresh', token: refresh };
  }
  if (grant === 'authorization_code') return { kind: 'code', form };
  const [nameField, secretField] = FIELDS.get(grant ?? '') ?? [];
  const name = nameField && form.get(nameField);
  const secret = secretField && form.get(secretField);
  if (!name || !secret)
    throw new QuorateError('ERR_REQUEST_BODY', { status: 400, emptyBody: true });
  return { kind: 'credentials', name, secret };
}
