/** The parsed form of a query, which the matcher compiles and the planner reads. */
import type { Document, Value } from '../bson/value.ts';
import type { GeoQuery } from './geo/geo-query.ts';
import type { CompiledRegex } from './regex.ts';

export type CompareOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte';
export type BitsOperator = 'allSet' | 'allClear' | 'anySet' | 'anyClear';

export interface LogicalNode {
  readonly kind: 'and' | 'or' | 'nor';
  readonly children: readonly FilterNode[];
}

export interface NotNode {
  readonly kind: 'not';
  readonly child: FilterNode;
}

/** `value` is never a BSON undefined; a regular expression here is compared, not matched. */
export interface CompareNode {
  readonly kind: 'compare';
  readonly path: string;
  readonly op: CompareOperator;
  readonly value: Value;
}

export interface InNode {
  readonly kind: 'in' | 'nin';
  readonly path: string;
  readonly values: readonly Value[];
  readonly regexes: readonly CompiledRegex[];
}

export interface ExistsNode {
  readonly kind: 'exists';
  readonly path: string;
  readonly exists: boolean;
}

export interface RegexNode {
  readonly kind: 'regex';
  readonly path: string;
  readonly regex: CompiledRegex;
}

/** `types` holds BSON type bytes; the alias `number` is spelled out. */
export interface TypeNode {
  readonly kind: 'type';
  readonly path: string;
  readonly types: ReadonlySet<number>;
}

export interface ModNode {
  readonly kind: 'mod';
  readonly path: string;
  readonly divisor: bigint;
  readonly remainder: bigint;
}

export interface SizeNode {
  readonly kind: 'size';
  readonly path: string;
  readonly size: number;
}

/** Each child (equality, regex or elemMatch) must hold on the path; none at all matches nothing. */
export interface AllNode {
  readonly kind: 'all';
  readonly path: string;
  readonly children: readonly FilterNode[];
}

/** With `onValue` the child's paths are empty and it looks at the element itself. */
export interface ElemMatchNode {
  readonly kind: 'elemMatch';
  readonly path: string;
  readonly onValue: boolean;
  readonly child: FilterNode;
}

export interface BitsNode {
  readonly kind: 'bits';
  readonly path: string;
  readonly op: BitsOperator;
  /** Bit positions, lowest first. */
  readonly positions: readonly number[];
}

export interface ExprNode {
  readonly kind: 'expr';
  readonly expression: Value;
}

export interface JsonSchemaNode {
  readonly kind: 'jsonSchema';
  readonly schema: Document;
}

export interface GeoNode {
  readonly kind: 'geo';
  readonly path: string;
  readonly query: GeoQuery;
}

export interface TextNode {
  readonly kind: 'text';
  readonly search: string;
  readonly language: string | undefined;
  readonly caseSensitive: boolean;
  readonly diacriticSensitive: boolean;
}

export interface AlwaysNode {
  readonly kind: 'always';
  readonly value: boolean;
}

export interface SampleRateNode {
  readonly kind: 'sampleRate';
  readonly rate: number;
}

/** Nodes that look at the values of one path. */
export type LeafNode =
  | CompareNode
  | InNode
  | ExistsNode
  | RegexNode
  | TypeNode
  | ModNode
  | SizeNode
  | AllNode
  | ElemMatchNode
  | BitsNode
  | GeoNode;

export type FilterNode =
  | LogicalNode
  | NotNode
  | LeafNode
  | ExprNode
  | JsonSchemaNode
  | TextNode
  | AlwaysNode
  | SampleRateNode;
