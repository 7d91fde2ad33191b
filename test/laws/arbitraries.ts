import fc, { type Arbitrary } from 'fast-check'
import { z } from 'zod'

type Json = {
  readonly type?: string
  readonly format?: string
  readonly pattern?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Json[]
  readonly oneOf?: readonly Json[]
  readonly allOf?: readonly Json[]
  readonly items?: Json
  readonly properties?: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Json | boolean
  readonly propertyNames?: Json
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** By name of a field: what stands for it. Others are made from their schema alone. */
export type Hints = Readonly<Record<string, (() => Arbitrary<unknown>) | undefined>>

const LONGEST_TEXT = 24
const LONGEST_LIST = 4
const FIRST_DAY = new Date('2025-01-01')
const LAST_DAY = new Date('2027-12-31')

const dates = fc.date({ min: FIRST_DAY, max: LAST_DAY, noInvalidDate: true })

const textOf = ({ format, pattern, allOf, minLength = 0, maxLength }: Json): Arbitrary<string> => {
  if (format === 'date') return dates.map((date) => date.toISOString().slice(0, 10))
  if (format === 'date-time') return dates.map((date) => date.toISOString())
  if (format === 'email') return fc.constantFrom('ada@example.org', 'bob@example.org')
  const patterns = [pattern, ...(allOf ?? []).map((part) => part.pattern)].filter(Boolean)
  if (patterns[0]) return fc.stringMatching(new RegExp(patterns[0], 'u'))
  const longest = Math.max(minLength, Math.min(maxLength ?? LONGEST_TEXT, LONGEST_TEXT))
  return fc.string({ unit: 'grapheme', minLength, maxLength: longest })
}

const texts = new WeakMap<Json, Arbitrary<string>>()

/** Reading a pattern takes longer than drawing from it a hundred times. */
const knownTextOf = (json: Json): Arbitrary<string> => {
  const known = texts.get(json) ?? textOf(json)
  texts.set(json, known)
  return known
}

const objectOf = (json: Json, hints: Hints): Arbitrary<unknown> => {
  const { properties, required = [], additionalProperties, propertyNames } = json
  if (!properties && typeof additionalProperties === 'object') {
    const names = propertyNames ? knownTextOf(propertyNames) : fc.string({ maxLength: 8 })
    return fc.dictionary(names, fromJson(additionalProperties, hints), { maxKeys: 3 })
  }
  const fields = Object.entries(properties ?? {}).map(
    ([name, inner]) => [name, hints[name]?.() ?? fromJson(inner, hints)] as const,
  )
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] })
}

const fromJson = (json: Json, hints: Hints): Arbitrary<unknown> => {
  if ('const' in json) return fc.constant(json.const)
  if (json.enum) return fc.constantFrom(...json.enum)
  const choices = json.anyOf ?? json.oneOf
  if (choices) return fc.oneof(...choices.map((choice) => fromJson(choice, hints)))
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = json
  switch (json.type) {
    case 'string':
      return knownTextOf(json)
    case 'integer':
      return fc.integer({ min: Math.max(minimum, -1e6), max: Math.min(maximum, 1e6) })
    case 'number':
      return fc.double({ min: Math.max(minimum, -1e9), max: Math.min(maximum, 1e9), noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array': {
      const { items = {}, minItems: minLength = 0, maxItems = LONGEST_LIST } = json
      const maxLength = Math.max(minLength, Math.min(maxItems, LONGEST_LIST))
      return fc.array(fromJson(items, hints), { minLength, maxLength })
    }
    case 'object':
      return objectOf(json, hints)
    default:
      return fc.constant(null)
  }
}

const described = new WeakMap<z.ZodType, Json>()

const describe = (schema: z.ZodType): Json => {
  const known = described.get(schema)
  if (known) return known
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
  described.set(schema, json)
  return json
}

/**
 * Values that pass the schema, as far as JSON Schema can say so; what its refinements refuse has to
 * be dropped. Fields named in `hints` are drawn from there, at any depth.
 */
export const arbitraryOf = (schema: z.ZodType, hints: Hints = {}): Arbitrary<unknown> =>
  fromJson(describe(schema), hints)
