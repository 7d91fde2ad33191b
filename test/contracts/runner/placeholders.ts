/** The `{{names}}` in a scenario, and what stands in their place. */
import { lookUp } from './json_path.ts'

export type Scope = {
  /** What the test door said of the state before: `{{alice.id}}`, `{{alice_id}}`, `{{alice}}`. */
  readonly refs: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** What steps have captured. It goes before a ref of the same name. */
  readonly captured: Readonly<Record<string, unknown>>
  /** The token of each user who has logged in: `{{access.alice}}`. */
  readonly access: Readonly<Record<string, string>>
  readonly today: Date
}

const ID_SUFFIX = '_id'
const ISO_DAY = 10

const dayFrom = (today: Date, days: number): string => {
  const day = new Date(today)
  day.setUTCDate(day.getUTCDate() + days)
  return day.toISOString().slice(0, ISO_DAY)
}

const refValue = ({ refs }: Scope, name: string): unknown => {
  // A bare ref means its id: the samples write {{b_pending}} as well as {{alice_checking_id}}.
  const whole = lookUp(refs, name)
  if (whole !== undefined) return name.includes('.') ? whole : lookUp(refs, `${name}.id`)
  return name.endsWith(ID_SUFFIX)
    ? lookUp(refs, `${name.slice(0, -ID_SUFFIX.length)}.id`)
    : undefined
}

const nameValue = (scope: Scope, name: string): unknown => {
  if (name.startsWith('access.')) return lookUp(scope, name)
  const captured = lookUp(scope.captured, name)
  return captured === undefined ? refValue(scope, name) : captured
}

const standsFor = (name: string, scope: Scope): unknown => {
  const day = /^today([+-]\d+)?$/.exec(name)
  if (day) return dayFrom(scope.today, Number(day[1] ?? 0))
  const value = nameValue(scope, name)
  if (value === undefined) throw new Error(`unknown placeholder {{${name}}}`)
  return value
}

const textOf = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value)

const fillText = (text: string, scope: Scope): unknown => {
  const whole = /^\{\{([^{}]+)\}\}$/.exec(text)?.[1]
  if (whole !== undefined) return standsFor(whole.trim(), scope)
  return text.replaceAll(/\{\{([^{}]+)\}\}/g, (_, name: string) =>
    textOf(standsFor(name.trim(), scope)),
  )
}

/**
 * The same with every placeholder filled in. A text that is nothing but one placeholder takes the
 * value as it is, so that a number stays a number. Throws at a placeholder that nothing stands for.
 */
export const fill = (value: unknown, scope: Scope): unknown => {
  if (typeof value === 'string') return fillText(value, scope)
  if (Array.isArray(value)) return value.map((item) => fill(item, scope))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, scope)]))
}

/** Whose tokens are asked for anywhere in `value`. */
export const accessNames = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/\{\{\s*access\.([^{}]+?)\s*\}\}/g)].map(
    ([, name]) => name ?? '',
  )
