/** What a step expects, compared with what came. Each comparison answers the first difference. */
import { isDeepStrictEqual } from 'node:util'
import { lookUp, show } from './json_path.ts'
import type { Expectation, Step } from './scenario.ts'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown
}

type Difference = string | undefined
type Comparison = (expected: Expectation, answer: Answer) => Difference

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The first difference that `compare` finds among the items; the later ones are not looked at. */
const firstOf = <Item>(items: Iterable<Item>, compare: (item: Item) => Difference): Difference => {
  for (const item of items) {
    const difference = compare(item)
    if (difference !== undefined) return difference
  }
  return undefined
}

const at = (path: string): string => (path === '' || path === '$' ? 'the body' : path)
const under = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** The items occur in this order, each of them once; others may lie between. */
const listDifference = (
  expected: readonly unknown[],
  actual: unknown,
  path: string,
): Difference => {
  if (!Array.isArray(actual)) return `${at(path)}: found ${show(actual)}, expected a list`
  let next = 0
  return firstOf(expected, (wanted) => {
    const place = actual.findIndex(
      (item, index) => index >= next && subsetDifference(wanted, item, path) === undefined,
    )
    if (place < 0) {
      const rest = next === 0 ? '' : ` after item ${next - 1}`
      return `${at(path)}: no item like ${show(wanted)}${rest} in ${show(actual)}`
    }
    next = place + 1
    return undefined
  })
}

const subsetDifference = (expected: unknown, actual: unknown, path: string): Difference => {
  if (Array.isArray(expected)) return listDifference(expected, actual, path)
  if (!isRecord(expected)) {
    return expected === actual
      ? undefined
      : `${at(path)}: found ${show(actual)}, expected ${show(expected)}`
  }
  if (!isRecord(actual)) return `${at(path)}: found ${show(actual)}, expected ${show(expected)}`
  return firstOf(Object.entries(expected), ([name, wanted]) =>
    subsetDifference(wanted, actual[name], under(path, name)),
  )
}

const statusDifference: Comparison = ({ status, status_any_of, status_not }, answer) => {
  if (status !== undefined && answer.status !== status) {
    return `status ${answer.status}, expected ${status}`
  }
  if (status_any_of && !status_any_of.includes(answer.status)) {
    return `status ${answer.status}, expected one of ${status_any_of.join(', ')}`
  }
  return answer.status === status_not ? `status ${status_not}, expected any other` : undefined
}

const headerDifference: Comparison = ({ content_type_starts, header_present = [] }, answer) => {
  const type = answer.headers.get('Content-Type') ?? ''
  if (content_type_starts !== undefined && !type.startsWith(content_type_starts)) {
    return `content type ${show(type)}, expected ${show(content_type_starts)} at its beginning`
  }
  return firstOf(header_present, (name) =>
    answer.headers.has(name) ? undefined : `no header ${name}`,
  )
}

/** `body_is`: a text is the whole body as it came; anything else is compared with its JSON. */
const bodyDifference = (expected: unknown, { text, json }: Answer): Difference => {
  if (expected === undefined) return undefined
  const same = typeof expected === 'string' ? expected === text : isDeepStrictEqual(expected, json)
  return same ? undefined : `the body is not ${show(expected)}`
}

const textDifference: Comparison = (expected, answer) => {
  const { first_line_contains, body_contains = [] } = expected
  const [line = ''] = answer.text.split(/\r?\n/, 1)
  if (first_line_contains !== undefined && !line.includes(first_line_contains)) {
    return `first line ${show(line)}, expected ${show(first_line_contains)} in it`
  }
  const missing = firstOf(body_contains, (text) =>
    answer.text.includes(String(text)) ? undefined : `no ${show(text)} in the body`,
  )
  return missing ?? bodyDifference(expected.body_is, answer)
}

/** A field that is null is present. */
const presenceDifference: Comparison = ({ json_present = [], json_absent = [] }, { json }) =>
  firstOf(json_present, (path) =>
    lookUp(json, path) === undefined ? `${at(path)}: not there` : undefined,
  ) ??
  firstOf(json_absent, (path) => {
    const found = lookUp(json, path)
    return found === undefined ? undefined : `${at(path)}: found ${show(found)}, expected nothing`
  })

const containsDifference: Comparison = ({ json_text_contains_ci = {} }, { json }) =>
  firstOf(Object.entries(json_text_contains_ci), ([path, text]) => {
    const found = lookUp(json, path)
    const whole = typeof found === 'string' ? found : (JSON.stringify(found) ?? '')
    if (whole.toLowerCase().includes(String(text).toLowerCase())) return undefined
    return `${at(path)}: found ${show(found)}, expected ${show(text)} in it`
  })

const lengthDifference: Comparison = (expected, { json }) => {
  const { json_array_length = {}, json_array_min_length = {} } = expected
  const compare = (words: string, meets: (length: number, wanted: number) => boolean) => {
    return ([path, wanted]: readonly [string, number]): Difference => {
      const list = lookUp(json, path)
      if (!Array.isArray(list)) return `${at(path)}: found ${show(list)}, expected a list`
      if (meets(list.length, wanted)) return undefined
      return `${at(path)}: ${list.length} items, expected ${words}${wanted}`
    }
  }
  return (
    firstOf(
      Object.entries(json_array_length),
      compare('', (length, wanted) => length === wanted),
    ) ??
    firstOf(
      Object.entries(json_array_min_length),
      compare('at least ', (length, wanted) => length >= wanted),
    )
  )
}

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))

/** Numbers and decimal strings as numbers, other texts (days, times) in the order of texts. */
const isWithin = (value: unknown, low: unknown, high: unknown): boolean => {
  const all = [low, value, high]
  if (all.every(isNumeric)) return Number(low) <= Number(value) && Number(value) <= Number(high)
  if (!all.every((one) => typeof one === 'string')) return false
  return String(low) <= String(value) && String(value) <= String(high)
}

const rangeDifference: Comparison = ({ json_range = {} }, { json }) =>
  firstOf(Object.entries(json_range), ([path, [low, high]]) => {
    const found = lookUp(json, path)
    if (isWithin(found, low, high)) return undefined
    return `${at(path)}: found ${show(found)}, expected ${show(low)} to ${show(high)}`
  })

const equalsDifference: Comparison = ({ json_equals = {} }, { json }) =>
  firstOf(Object.entries(json_equals), ([path, wanted]) => {
    const found = lookUp(json, path)
    if (isDeepStrictEqual(found, wanted)) return undefined
    return `${at(path)}: found ${show(found)}, expected exactly ${show(wanted)}`
  })

/** An empty `json_subset`, which most samples have, says nothing: not even that there is a body. */
const saysNothing = (subset: unknown): boolean =>
  subset === undefined || (isRecord(subset) && Object.keys(subset).length === 0)

const jsonDifference: Comparison = (expected, answer) => {
  const { json_subset, ...others } = expected
  const claims = Object.keys(others).some((name) => name.startsWith('json_'))
  if (saysNothing(json_subset) && !claims) return undefined
  if (answer.json === undefined) return 'the body is not JSON'
  const subset = saysNothing(json_subset)
    ? undefined
    : subsetDifference(json_subset, answer.json, '')
  const compare = [
    presenceDifference,
    containsDifference,
    lengthDifference,
    rangeDifference,
    equalsDifference,
  ]
  return subset ?? firstOf(compare, (comparison) => comparison(expected, answer))
}

/** The first difference as one line, or nothing. */
export const firstDifference: Comparison = (expected, answer) =>
  firstOf([statusDifference, headerDifference, textDifference, jsonDifference], (comparison) =>
    comparison(expected, answer),
  )

const inWords = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([status, count]) => `${count} with ${status}`)
    .sort()
    .join(', ')

/** Of several answers: how many had which status. */
export const countsDifference = (
  expected: Readonly<Record<string, number>>,
  answers: readonly Answer[],
): Difference => {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  const wanted = Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0))
  if (isDeepStrictEqual(counts, wanted)) return undefined
  return `${inWords(counts)}, expected ${inWords(wanted)}`
}

/**
 * What a step expects when its document has been heard. In the samples `doc` holds a `status`, an
 * `error_code` (atm) and a `note`, and nothing else is allowed in it. Where the document gives a
 * status, `status`, `status_any_of` and `status_not` are those of the original product and count no
 * more; what `expect` says about the body stays. An `error_code` is one more field of the body. A
 * note alone, as where the document is silent, leaves everything as it is.
 */
export const expectationOf = ({ expect = {}, doc = {} }: Step): Expectation => {
  const { note, notes, derived, verdict, doc: _, ...claims } = expect
  const { status, status_any_of, status_not, ...others } = claims
  const replaced = doc.status === undefined ? claims : { ...others, status: doc.status }
  if (doc.error_code === undefined) return replaced
  const subset = isRecord(replaced.json_subset) ? replaced.json_subset : {}
  return { ...replaced, json_subset: { ...subset, error_code: doc.error_code } }
}
