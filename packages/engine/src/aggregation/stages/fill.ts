/** `$fill`: null and missing fields get values, through the window functions that do the same. */
import { type Document, toDocument, type Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { typeName } from '../expression/value-kind.ts';
import { projectStages } from './project.ts';
import { compileSetWindowFields } from './set-window-fields.ts';
import type { Stage, StageCompiler, StageContext } from './stage.ts';

const OPTIONS = new Set(['partitionBy', 'partitionByFields', 'sortBy', 'output']);

function readPartition(spec: Document): Value | undefined {
  const by = spec.get('partitionBy');
  const fields = spec.get('partitionByFields');
  if (by !== undefined && fields !== undefined) {
    throw locationError(
      6050204,
      "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
    );
  }
  if (fields === undefined) return by;
  if (!Array.isArray(fields)) {
    throw failedToParse("'partitionByFields' must be an array of field names");
  }
  const parts: Document = new Map();
  fields.forEach((field, i) => {
    if (typeof field !== 'string' || field.startsWith('$')) {
      throw failedToParse("Each field in 'partitionByFields' must be a field name");
    }
    parts.set(`f${i}`, `$${field}`);
  });
  return parts;
}

export function compileFill(spec: Value, context: StageContext): Stage[] {
  if (!(spec instanceof Map)) {
    throw failedToParse(`The $fill stage specification must be an object, found ${typeName(spec)}`);
  }
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw locationError(40415, `BSON field '$fill.${name}' is an unknown field.`);
    }
  }
  const output = spec.get('output');
  if (!(output instanceof Map)) {
    throw locationError(40414, "BSON field '$fill.output' is missing but a required field");
  }
  if (output.size === 0) {
    throw locationError(6050203, 'The $fill stage must include at least one output');
  }
  const methods: Document = new Map();
  const values: Document = new Map();
  for (const [field, fill] of output) readOutput(field, fill, methods, values);
  const stages: Stage[] = [];
  if (methods.size > 0) {
    const windows = toDocument({
      partitionBy: readPartition(spec),
      sortBy: spec.get('sortBy'),
      output: methods,
    });
    stages.push(compileSetWindowFields(windows, context));
  }
  if (values.size > 0) {
    const addFields = projectStages['$addFields'] as StageCompiler;
    stages.push(addFields(values, context, '$fill') as Stage);
  }
  return stages.map((stage) => ({ ...stage, name: '$fill', spec }));
}

function readOutput(field: string, fill: Value, methods: Document, values: Document): void {
  if (!(fill instanceof Map) || fill.size !== 1) {
    throw failedToParse("Each output of $fill must have exactly one of 'value' and 'method'");
  }
  const value = fill.get('value');
  if (value !== undefined) {
    values.set(field, toDocument({ $ifNull: [`$${field}`, value] }));
    return;
  }
  const method = fill.get('method');
  if (method !== 'linear' && method !== 'locf') {
    throw locationError(6050202, 'Method must be either locf or linear');
  }
  methods.set(field, toDocument({ [method === 'locf' ? '$locf' : '$linearFill']: `$${field}` }));
}
