import { ProblemError, problem } from './problems.ts'

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

/** Parses JSON from outside. Throws a problem for malformed text and for a field named twice. */
export const parseJson = (text: string): unknown => {
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
  return parsed
}
