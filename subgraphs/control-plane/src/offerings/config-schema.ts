import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { canonicalJson } from '@agentstore/kernel/canonical-json';

type Json = Readonly<Record<string, unknown>>;

/** The most characters a version's schema, and a configuration, may have as JSON. */
const mostSchemaCharacters = 32_768;
const mostConfigCharacters = 16_384;

/**
 * JSON Schema (draft 07) of what a buyer may configure. Keywords that nobody knows are refused, and so are regular expressions, which a schema of
 * somebody else's could hang this process with.
 */
function compile(schema: Json): ValidateFunction {
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
  });
  void ajv.validateSchema({}); // compiles the schema of schemas, which has patterns of its own
  for (const keyword of ['pattern', 'patternProperties', 'format']) ajv.removeKeyword(keyword);
  return ajv.compile({ type: 'object', additionalProperties: false, ...schema });
}

/** Compiling costs milliseconds, and a version's schema never changes. */
const compiled = new Map<string, ValidateFunction>();
const mostCompiled = 200;
function validatorOf(schema: Json): ValidateFunction {
  const text = canonicalJson(schema);
  let validate = compiled.get(text);
  if (!validate) {
    validate = compile(schema);
    if (compiled.size >= mostCompiled) compiled.delete(compiled.keys().next().value!);
    compiled.set(text, validate);
  }
  return validate;
}

/** What keeps a schema from being one that configurations can be checked by, in words; undefined when nothing does. */
export function schemaFault(schema: Json): string | undefined {
  if (JSON.stringify(schema).length > mostSchemaCharacters)
    return `the schema is longer than ${mostSchemaCharacters} characters`;
  if ('$async' in schema) return 'the schema is asynchronous';
  if (schema['type'] !== undefined && schema['type'] !== 'object')
    return 'the schema is not that of an object';
  try {
    compile(schema);
    return undefined;
  } catch (error) {
    return `the schema is no JSON Schema (draft 07): ${(error as Error).message.slice(0, 500)}`;
  }
}

/**
 * What is wrong with a buyer's own settings by the version's schema, in words. What the version and the plan set counts where the schema speaks of it, so
 * a setting that they give need not be given again; everything else of theirs is not the buyer's to set.
 */
export function configFault(schema: Json, config: { own: Json; effective: Json }): string | undefined {
  if (JSON.stringify(config.own).length > mostConfigCharacters)
    return `the configuration is longer than ${mostConfigCharacters} characters`;
  const declared = (schema['properties'] ?? {}) as Json;
  const value = Object.fromEntries(
    Object.entries(config.effective).filter(
      ([name]) => Object.hasOwn(config.own, name) || Object.hasOwn(declared, name),
    ),
  );
  const validate = validatorOf(schema);
  return validate(value) ? undefined : wordsOf(validate.errors![0]!);
}

function wordsOf({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties')
    return `${where ? `${where}.` : ''}${String(params['additionalProperty'])} is not a setting of this version`;
  const allowed = keyword === 'enum' ? `: ${(params['allowedValues'] as unknown[]).join(', ')}` : '';
  return `${where || 'the configuration'} ${message}${allowed}`;
}
