import { invalidField, ProblemError, problem } from './problems.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const COLON = 0x3a

const endOfString = (text: string, start: number): number => {
  let index = start + 1
  while (text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1
  }
  return index
}

/**
 * The first field named twice in one object, in text that is known to be JSON. JSON.parse keeps the
 * last of them without a word, and two readers of one document may then see two amounts.
 */
const findDuplicateField = (text: string): string | undefined => {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      const end = endOfString(text, index)
      last = text.slice(index, end + 1)
      index = end
    } else if (code === COLON) {
      const fields = open.at(-1)
      // Escapes can spell one name in two ways, so names are compared decoded.
      const name = last.includes('\\') ? String(JSON.parse(last)) : last.slice(1, -1)
      if (fields?.has(name)) return name
      fields?.add(name)
    } else if (code === OPEN_OBJECT) open.push(new Set())
    else if (code === OPEN_LIST) open.push(undefined)
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop()
  }
  return undefined
}

/** Whether a text holds a NUL or half a character. */
export const isUnreadable = (text: string): boolean => text.includes('\0') || !text.isWellFormed()

/**
 * Where a value holds a NUL or half a character: Postgres takes neither, so an event with one would
 * stop every read model that keeps it.
 */
const findUnreadable = (value: unknown, path: string): string | undefined => {
  if (typeof value === 'string') return isUnreadable(value) ? path : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const field = path === '' ? name : `${path}.${name}`
    if (isUnreadable(name)) return path || '(body)'
    const found = findUnreadable(inner, field)
    if (found !== undefined) return found
  }
  return undefined
}

/** Only an escape can bring such a character into JSON. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i

/** Throws a problem that names the field when a text in it cannot be kept. */
const refuseUnreadable = (text: string, parsed: unknown): void => {
  if (!SUSPICIOUS.test(text)) return
  const field = findUnreadable(parsed, '')
  if (field === undefined) return
  const message = 'holds a NUL or half a character'
  throw new ProblemError(invalidField(field, message))
}

/** What a decoder puts where the bytes make no sense; whoever means it can write \ufffd. */
const REPLACEMENT = '\uFFFD'

/**
 * Parses JSON from outside. Throws a problem for malformed text, for a field named twice and for
 * characters that cannot be kept.
 */
export const parseJson = (text: string): unknown => {
  if (text.includes(REPLACEMENT)) {
    throw new ProblemError(problem('MALFORMED_JSON', 'The body is not UTF-8.'))
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ProblemError(problem('MALFORMED_JSON', (error as Error).message))
  }
  const twice = findDuplicateField(text)
  if (twice !== undefined) {
    const errors = [{ field: twice, message: 'named twice' }]
    throw new ProblemError(
      problem('DUPLICATE_FIELD', `The field ${twice} is named twice.`, { errors }),
    )
  }
  refuseUnreadable(text, parsed)
  return parsed
}
