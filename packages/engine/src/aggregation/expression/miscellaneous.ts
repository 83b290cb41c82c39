/** `$rand`, `$meta`, `$bsonSize`, `$binarySize`, and the operators that would run JavaScript. */
import { encodeDocument } from '../../bson/codec.ts';
import { Binary, toDouble, type Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { type DocumentMetadata, readMetadata } from '../metadata.ts';
import {
  type Expression,
  type OperatorCompiler,
  type OperatorTable,
  type Scope,
  unary,
} from './operator.ts';
import { isNullish, typeName } from './value-kind.ts';

const METADATA_NAMES: ReadonlySet<string> = new Set([
  'textScore',
  'geoNearDistance',
  'geoNearPoint',
  'indexKey',
  'recordId',
]);

function isMetadataName(name: string): name is keyof DocumentMetadata {
  return METADATA_NAMES.has(name);
}

function compileMeta(argument: Value, _scope: Scope): Expression {
  if (typeof argument !== 'string') {
    throw locationError(17307, '$meta only supports string arguments');
  }
  if (!isMetadataName(argument)) {
    if (argument === 'randVal') {
      return { constant: false, evaluate: () => toDouble(Math.random()) };
    }
    throw locationError(17308, `Unsupported argument to $meta: ${argument}`);
  }
  return { constant: false, evaluate: (root) => readMetadata(root)?.[argument] };
}

function compileRand(argument: Value, scope: Scope): Expression {
  const isEmpty =
    argument instanceof Map
      ? argument.size === 0
      : Array.isArray(argument) && argument.length === 0;
  if (!isEmpty) {
    throw locationError(3040501, '$rand does not currently accept arguments');
  }
  const random = scope.runtime.random ?? Math.random;
  return { constant: false, evaluate: () => toDouble(random()) };
}

/** Server-side JavaScript is refused, as by a server started with `--noscripting`. */
const refuseScript: OperatorCompiler = (_argument, _scope, name) => {
  throw failedToParse(`${name} not allowed in this context: server-side JavaScript is disabled`);
};

function unavailable(name: string): OperatorCompiler {
  return () => {
    throw new MongoCommandError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
  };
}

export const miscellaneousOperators: OperatorTable = {
  $accumulator: unavailable('$accumulator'),
  $binarySize: unary((value) => {
    if (isNullish(value)) return null;
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (value instanceof Binary) return value.position;
    throw locationError(
      51276,
      `$binarySize requires a string or BinData argument, found: ${typeName(value)}`,
    );
  }),
  $bsonSize: unary((value) => {
    if (isNullish(value)) return null;
    if (!(value instanceof Map)) {
      throw locationError(31393, `$bsonSize requires a document input, found: ${typeName(value)}`);
    }
    return encodeDocument(value).length;
  }),
  $function: refuseScript,
  $meta: compileMeta,
  $rand: compileRand,
  $where: refuseScript,
};
