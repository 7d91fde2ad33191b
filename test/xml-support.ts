/** A strict reader of the XML that Daybook writes: elements, attributes, text, nothing else. */

export type Element = {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  readonly text: string
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

const unescaped = (text: string): string => {
  if (/[<>]/.test(text)) throw new Error(`markup in ${text}`)
  return text.replace(/&(\w*);?/g, (all, name: string) => {
    const sign = all.endsWith(';') ? ENTITIES[name] : undefined
    if (sign === undefined) throw new Error(`${all} is no entity`)
    return sign
  })
}

const TAG = /<(\/?)([A-Za-z0-9]+)((?: [A-Za-z]+="[^"<>]*")*)(\/?)>/y
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

type Open = { name: string; attributes: Record<string, string>; children: Element[]; text: string }

/** Throws on what is not well-formed, or is more than it knows. */
export const parseXml = (source: string): Element => {
  if (!source.startsWith(DECLARATION)) throw new Error('it does not say what it is')
  const root: Open = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  let at = DECLARATION.length
  while (at < source.length) {
    const inner = open.at(-1) ?? root
    const next = source.indexOf('<', at)
    inner.text += unescaped(source.slice(at, next < 0 ? undefined : next))
    if (next < 0) break
    TAG.lastIndex = next
    const [all, closing, name, attributes = ''] = TAG.exec(source) ?? []
    if (all === undefined || name === undefined) throw new Error(`no tag at ${next}`)
    at = next + all.length
    if (closing) {
      if (inner.name !== name) throw new Error(`${inner.name} ends as ${name}`)
      open.pop()
      continue
    }
    const pairs = [...attributes.matchAll(/ (\w+)="([^"]*)"/g)]
    const named = pairs.map(([, key = '', value = '']) => [key, unescaped(value)])
    const child = { name, attributes: Object.fromEntries(named), children: [], text: '' }
    inner.children.push(child)
    open.push(child)
  }
  const [document, ...more] = root.children
  if (open.length > 1 || !document || more.length > 0) throw new Error('it is not one element')
  return document
}

/** The elements at a path of names below one. */
export const allAt = (element: Element, path: string): readonly Element[] =>
  path
    .split('/')
    .reduce<readonly Element[]>(
      (found, name) => found.flatMap(({ children }) => children.filter((one) => one.name === name)),
      [element],
    )

/** The text at a path, of the first that is there; undefined when nothing is. */
export const textAt = (element: Element, path: string): string | undefined =>
  allAt(element, path)[0]?.text
