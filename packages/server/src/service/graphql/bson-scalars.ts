/** The scalars of graphql.md §7: values of MongoDB in, values of MongoDB out. */
import {
  GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  isScalarType,
  Kind,
  type ObjectValueNode,
  parse,
  print,
  type ValueNode,
} from 'graphql';
import {
  BSONRegExp,
  type BsonDocument,
  type BsonTypeName,
  type BsonValue,
  Decimal128,
  Double,
  isDocument,
  Long,
  ObjectId,
  Timestamp,
} from '../../model/bson.ts';
import { writeJson } from '../../representation/json-writer.ts';

/** A scalar on its way out; the writer of the answer knows how it looks in JSON. */
export class BsonLeaf {
  readonly value: BsonValue;

  constructor(value: BsonValue) {
    this.value = value;
  }
}

/** Which BSON type each scalar takes on output; the built-in ones are as strict as ours. */
export const OUTPUT_TYPES: ReadonlyMap<string, BsonTypeName> = new Map<string, BsonTypeName>([
  ['String', 'STRING'],
  ['Int', 'INT32'],
  ['Float', 'DOUBLE'],
  ['Boolean', 'BOOLEAN'],
  ['Long', 'INT64'],
  ['ObjectId', 'OBJECT_ID'],
  ['Decimal128', 'DECIMAL128'],
  ['DateTime', 'DATE_TIME'],
  ['Timestamp', 'TIMESTAMP'],
  ['Regex', 'REGULAR_EXPRESSION'],
  ['BsonDocument', 'DOCUMENT'],
]);

interface ScalarInput {
  /** From a variable, read as plain JSON. */
  readonly fromVariable: (value: unknown) => BsonValue | undefined;
  /** From a literal; undefined leaves it to `fromVariable` of its text or number. */
  readonly fromLiteral?: (node: ValueNode, variables: Variables) => BsonValue | undefined;
  readonly wanted: string;
}

type Variables = Readonly<Record<string, unknown>> | null | undefined;

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

const INPUTS: Readonly<Record<string, ScalarInput>> = {
  ObjectId: {
    wanted: 'a text of 24 hexadecimal digits',
    fromVariable: (value) =>
      typeof value === 'string' && /^[0-9a-fA-F]{24}$/.test(value)
        ? new ObjectId(value)
        : undefined,
  },
  Decimal128: {
    wanted: 'a decimal number, as a number or a text',
    fromVariable: (value) => {
      const text = typeof value === 'number' ? String(value) : value;
      return typeof text === 'string' ? toDecimal(text) : undefined;
    },
    fromLiteral: (node) => ('value' in node ? toDecimal(String(node.value)) : undefined),
  },
  DateTime: {
    wanted: 'an ISO-8601 date with an offset, or milliseconds since the epoch, as a text',
    fromVariable: (value) => (typeof value === 'string' ? toDate(value) : undefined),
  },
  Long: { wanted: 'an integer of 64 bits, as a number or a text', fromVariable: toLong },
  Timestamp: {
    wanted: 'seconds since the epoch',
    fromVariable: (value) =>
      Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff
        ? new Timestamp({ t: Number(value), i: 0 })
        : undefined,
  },
  Regex: {
    wanted: 'a pattern, as a text',
    fromVariable: (value) => (typeof value === 'string' ? new BSONRegExp(value) : undefined),
  },
  BsonDocument: {
    wanted: 'an object',
    fromVariable: (value) => {
      const document = fromJson(value);
      return isDocument(document) ? document : undefined;
    },
    fromLiteral: (node, variables) =>
      node.kind === Kind.OBJECT ? documentFrom(node, variables) : undefined,
  },
};

/** The declarations that are put before each schema. */
export const SCALAR_DECLARATIONS = parse(
  Object.keys(INPUTS)
    .map((name) => `scalar ${name}`)
    .join('\n'),
);

/** Gives the scalars of a schema their meaning. */
export function implementScalars(schema: GraphQLSchema): void {
  for (const [name, input] of Object.entries(INPUTS)) {
    const type = schema.getType(name);
    if (isScalarType(type)) implementScalar(type, input);
  }
}

function implementScalar(type: GraphQLScalarType, input: ScalarInput): void {
  const { fromVariable, fromLiteral, wanted } = input;
  const refuse = (shown: string): never => {
    throw new GraphQLError(`${type.name} cannot represent ${shown}: it must be ${wanted}`);
  };
  type.serialize = (value) => {
    if (value instanceof BsonLeaf) return value;
    // a default value, as introspection shows it
    return value instanceof ObjectId ? value.toHexString() : writeJson(value as BsonValue);
  };
  type.parseValue = (value) => fromVariable(value) ?? refuse(JSON.stringify(value));
  type.parseLiteral = (node, variables) => {
    const value =
      fromLiteral === undefined ? fromVariable(plainOf(node)) : fromLiteral(node, variables);
    return value ?? refuse(print(node));
  };
}

/** Text or number of a literal; integers too large for a number stay text. */
function plainOf(node: ValueNode): unknown {
  if (node.kind === Kind.STRING) return node.value;
  if (node.kind !== Kind.INT && node.kind !== Kind.FLOAT) return undefined;
  const number = Number(node.value);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? node.value : number;
}

function toDecimal(text: string): Decimal128 | undefined {
  try {
    const decimal = Decimal128.fromString(text);
    return decimal.toString() === 'NaN' ? undefined : decimal;
  } catch {
    return undefined;
  }
}

function toLong(value: unknown): Long | undefined {
  const text = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof text === 'string' && !/^-?\d{1,19}$/.test(text)) return undefined;
  if (typeof text !== 'string' && typeof text !== 'bigint') return undefined;
  const integer = BigInt(text);
  return integer < INT64.min || integer > INT64.max ? undefined : Long.fromBigInt(integer);
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/i;

function toDate(text: string): Date | undefined {
  const date = /^-?\d{1,16}$/.test(text)
    ? new Date(Number(text))
    : ISO_DATE.test(text)
      ? new Date(text)
      : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

/** Plain JSON of a variable: all its numbers are doubles. */
function fromJson(value: unknown): BsonValue {
  if (typeof value === 'number') return new Double(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return null;
  return new Map(Object.entries(value).map(([name, member]) => [name, fromJson(member)]));
}

function documentFrom(node: ObjectValueNode, variables: Variables): BsonDocument {
  return new Map(node.fields.map(({ name, value }) => [name.value, valueFrom(value, variables)]));
}

function valueFrom(node: ValueNode, variables: Variables): BsonValue {
  switch (node.kind) {
    case Kind.OBJECT:
      return documentFrom(node, variables);
    case Kind.LIST:
      return node.values.map((item) => valueFrom(item, variables));
    case Kind.INT: {
      const number = Number(node.value);
      return number === (number | 0) ? number : new Double(number);
    }
    case Kind.FLOAT:
      return new Double(Number(node.value));
    case Kind.VARIABLE: {
      const value = variables?.[node.name.value];
      return isBsonValue(value) ? value : fromJson(value);
    }
    case Kind.NULL:
      return null;
    default:
      return node.value;
  }
}

/** A variable that a scalar of ours has read already. */
function isBsonValue(value: unknown): value is BsonValue {
  return (
    value instanceof Map ||
    value instanceof Date ||
    (typeof value === 'object' && value !== null && '_bsontype' in value)
  );
}
