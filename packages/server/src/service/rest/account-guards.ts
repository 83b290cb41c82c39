/**
 * What the collection of accounts is spared, whoever writes to it (security.md §7.3): passwords are
 * hashed and judged, nobody is given the root role, and no answer or filter shows a password.
 */
import { hash } from '@node-rs/bcrypt';
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';

export interface AccountGuardSettings {
  readonly database: string;
  readonly collection: string;
  readonly passwordProperty: string;
  /** False: passwords are kept as they come. */
  readonly hashesPasswords: boolean;
  readonly complexity: number;
  /** zxcvbn score, 0 to 4; undefined: any password will do. */
  readonly minimumStrength: number | undefined;
  /** First member of the path to the roles. */
  readonly rolesProperty: string;
  /** Undefined: the guard is off, or there is no root role. */
  readonly guardedRole: string | undefined;
}

/** The guards of one configuration. */
export class AccountGuards {
  private readonly settings: AccountGuardSettings;

  constructor(settings: AccountGuardSettings) {
    this.settings = settings;
  }

  /** True for the collection of accounts; names compare without case. */
  applyTo(database: string, collection: string): boolean {
    const { settings } = this;
    return (
      database.length === settings.database.length &&
      collection.length === settings.collection.length &&
      database.toLowerCase() === settings.database.toLowerCase() &&
      collection.toLowerCase() === settings.collection.toLowerCase()
    );
  }

  get passwordProperty(): string {
    return this.settings.passwordProperty;
  }

  /** @throws ERR_AUTHZ_ACCOUNTS when a filter could be used to guess a password */
  checkFilter(filter: BsonDocument | undefined): void {
    if (filter === undefined || !this.mentionsPassword(filter)) return;
    throw new QuorateError('ERR_AUTHZ_ACCOUNTS', {
      message: 'Using filters on the password property is forbidden',
    });
  }

  /** @throws ERR_AUTHZ_ACCOUNTS when `keys` would show a password under another name */
  checkProjection(projection: BsonDocument | undefined): void {
    if (![...(projection?.values() ?? [])].some((value) => this.mentionsPassword(value))) return;
    throw new QuorateError('ERR_AUTHZ_ACCOUNTS', {
      message: 'Using keys on the password property is forbidden',
    });
  }

  /**
   * The content to be written instead of the one sent.
   *
   * @throws ERR_AUTHZ_ACCOUNTS when it gives the root role, ERR_VALIDATION_PASSWORD when a password is too weak
   */
  async guardContent(
    content: BsonDocument | BsonValue[],
    isUpdate: boolean,
  ): Promise<BsonDocument | BsonValue[]> {
    if (!Array.isArray(content)) return this.guardDocument(content, undefined);
    if (isUpdate) return this.guardPipeline(content);
    const guarded: BsonValue[] = [];
    for (const [index, item] of content.entries()) {
      guarded.push(isDocument(item) ? await this.guardDocument(item, index) : item);
    }
    return guarded;
  }

  private async guardDocument(
    document: BsonDocument,
    index: number | undefined,
  ): Promise<BsonDocument> {
    const guarded: BsonDocument = new Map();
    for (const [name, value] of document) {
      if (name === '$set' || name === '$setOnInsert') {
        guarded.set(name, isDocument(value) ? await this.guardDocument(value, index) : value);
      } else if (name.startsWith('$') && isDocument(value)) {
        this.guardOperands(value);
        guarded.set(name, value);
      } else {
        this.guardPath(name);
        this.guardRoles(name, value);
        guarded.set(name, await this.guardPassword(name, value, index));
      }
    }
    return guarded;
  }

  /** The stages of an update pipeline compute: only literals can be judged, so only they may pass. */
  private async guardPipeline(stages: readonly BsonValue[]): Promise<BsonValue[]> {
    const guarded: BsonValue[] = [];
    for (const stage of stages) {
      const [entry] = isDocument(stage) ? stage : [];
      const isSet = entry?.[0] === '$set' || entry?.[0] === '$addFields';
      if (isSet && entry !== undefined && isDocument(entry[1])) {
        const fields = entry[1];
        if ([...fields].some(([name, value]) => this.isGuarded(name) && !isLiteral(value))) {
          throw refusal();
        }
        guarded.push(new Map([[entry[0], await this.guardDocument(fields, undefined)]]));
      } else if (entry?.[0] === '$unset') {
        guarded.push(stage);
      } else {
        throw refusal();
      }
    }
    return guarded;
  }

  /** `$push`, `$rename` and their like: a role cannot be given, a password cannot come, that way. */
  private guardOperands(operands: BsonDocument): void {
    const { passwordProperty } = this.settings;
    for (const [name, operand] of operands) {
      this.guardPath(name);
      this.guardRoles(name, operand);
      const renamedTo = typeof operand === 'string' ? operand : '';
      if (this.isGuarded(renamedTo)) throw refusal();
      if (name === passwordProperty && operand !== '' && typeof operand === 'string')
        throw refusal();
    }
  }

  /** A password has nothing in it: the database says so in an error that shows the hash. */
  private guardPath(name: string): void {
    if (name.startsWith(`${this.settings.passwordProperty}.`)) throw refusal();
  }

  private guardRoles(name: string, value: BsonValue): void {
    const { guardedRole, rolesProperty } = this.settings;
    if (guardedRole === undefined) return;
    if (isAtOrBelow(name, rolesProperty) && holdsText(value, guardedRole)) throw refusal();
  }

  private async guardPassword(
    name: string,
    value: BsonValue,
    index: number | undefined,
  ): Promise<BsonValue> {
    const { passwordProperty, hashesPasswords, complexity } = this.settings;
    if (name !== passwordProperty || typeof value !== 'string') return value;
    await this.checkStrength(value, index);
    return hashesPasswords ? hash(value, { cost: complexity, version: '2a' }) : value;
  }

  private async checkStrength(password: string, index: number | undefined): Promise<void> {
    const { minimumStrength } = this.settings;
    if (minimumStrength === undefined) return;
    // its dictionaries take a tenth of a second to load
    const { default: zxcvbn } = await import('zxcvbn');
    // the estimate takes time that grows with the length; no more is needed to be strong
    const { score, feedback } = zxcvbn(password.slice(0, 100));
    if (score >= minimumStrength) return;
    throw new QuorateError('ERR_VALIDATION_PASSWORD', {
      message:
        index === undefined
          ? 'Password is too weak'
          : `Password is too weak in user document at index ${index}`,
      details: {
        ...(feedback.warning ? { warning: feedback.warning } : {}),
        ...(feedback.suggestions.length > 0 ? { suggestions: feedback.suggestions } : {}),
      },
    });
  }

  private isGuarded(name: string): boolean {
    const { passwordProperty, rolesProperty, guardedRole } = this.settings;
    return (
      isAtOrBelow(name, passwordProperty) ||
      (guardedRole !== undefined && isAtOrBelow(name, rolesProperty))
    );
  }

  private mentionsPassword(value: BsonValue): boolean {
    if (typeof value === 'string') {
      return WHOLE_DOCUMENT.test(value) || value.startsWith(`$${this.settings.passwordProperty}`);
    }
    if (Array.isArray(value)) return value.some((item) => this.mentionsPassword(item));
    if (!isDocument(value)) return false;
    for (const [name, member] of value) {
      // this one reads a field whose name may be computed
      if (name === '$getField' || isAtOrBelow(name, this.settings.passwordProperty)) return true;
      if (this.mentionsPassword(member)) return true;
    }
    return false;
  }
}

/** Variables of expressions that hold the password too. */
const WHOLE_DOCUMENT = /^\$\$(ROOT|CURRENT)\b/;

function refusal(): QuorateError {
  return new QuorateError('ERR_AUTHZ_ACCOUNTS', {
    message: 'Forbidden. The request has been logged.',
  });
}

function isAtOrBelow(path: string, property: string): boolean {
  return path === property || path.startsWith(`${property}.`);
}

function holdsText(value: BsonValue, text: string): boolean {
  if (value === text) return true;
  if (Array.isArray(value)) return value.some((item) => holdsText(item, text));
  return isDocument(value) && [...value.values()].some((member) => holdsText(member, text));
}

/** True for a value that an aggregation expression leaves as it is. */
function isLiteral(value: BsonValue): boolean {
  if (typeof value === 'string') return !value.startsWith('$');
  if (Array.isArray(value)) return value.every(isLiteral);
  return !isDocument(value);
}
