/** Where something is in a JSON value: names and list positions between dots. */

const stepInto = (value: unknown, name: string): unknown => {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

/** What is at `path`, such as `results.0.id`, or undefined. A leading `$` is the whole value. */
export const lookUp = (value: unknown, path: string): unknown => {
  const names = path.split('.')
  if (names[0] === '$') names.shift()
  return names.reduce(stepInto, value)
}

const SHOWN = 200

/** A value in a message: on one line and not too long. */
export const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

/** The beginning of a body in a message, on one line. */
export const excerpt = (text: string): string =>
  text === '' ? 'no body' : text.slice(0, SHOWN).replaceAll(/\s+/g, ' ').trim()
