/** What a history has brought about so far, and what a next request could therefore say. */
import fc, { type Arbitrary } from 'fast-check'
import type { Hints } from './arbitraries.ts'

const DAY_MS = 86_400_000
const ASSETS = ['USD/2', 'KES/2', 'JPY/0'] as const
const MOST_REMEMBERED = 40

export type World = {
  now: Date
  /** By name of a field: values it has had. */
  readonly known: Map<string, string[]>
  readonly assetOf: Map<string, string>
  learn(value: unknown): void
}

/** Other names of the same things. */
const sameAs: Readonly<Record<string, string>> = {
  from: 'account',
  to: 'account',
  owner: 'user',
  original: 'entry',
  current_password: 'password',
  new_password: 'password',
}

const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '')

/** What loans alone book on: who meddles with it is in the way of every step that follows. */
const isOfLoans = (account: string): boolean => /^(?:loans|\w+:loan-\w+):/.test(account)

export const createWorld = (start: Date): World => {
  const known = new Map<string, string[]>()
  const assetOf = new Map<string, string>()

  const remember = (name: string, value: string): void => {
    if (name === 'account' && isOfLoans(value)) return
    const values = known.get(name) ?? []
    known.set(name, values)
    if (values.includes(value)) return
    values.push(value)
    if (values.length > MOST_REMEMBERED) values.shift()
  }
  const walk = (value: unknown, name: string): void => {
    if (typeof value === 'string') remember(name, value)
    if (Array.isArray(value)) for (const item of value) walk(item, singular(name))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const [field, inner] of Object.entries(value)) {
      // `{ hold: { id } }` names a hold.
      const known = Object.hasOwn(sameAs, field) ? sameAs[field] : undefined
      walk(inner, field === 'id' && name !== '' ? name : (known ?? field))
    }
    const { account, asset } = value as { account?: unknown; asset?: unknown }
    if (typeof account !== 'string' || typeof asset !== 'string') return
    if (!isOfLoans(account)) assetOf.set(account, asset)
  }
  return { now: start, known, assetOf, learn: (value) => walk(value, '') }
}

const near = (world: World, from: number, to: number): Arbitrary<Date> =>
  fc.integer({ min: from, max: to }).map((ms) => new Date(world.now.getTime() + ms))

const instant = (world: World) => (): Arbitrary<unknown> =>
  near(world, -DAY_MS, 5 * DAY_MS).map((date) => date.toISOString())

const day = (world: World, from: number, to: number) => (): Arbitrary<unknown> =>
  near(world, from * DAY_MS, to * DAY_MS).map((date) => date.toISOString().slice(0, 10))

const amounts = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 3000 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('1', '9'.repeat(24)) },
)

/** Mostly something that is there, seldom something that is not. */
const knownOr =
  (world: World, name: string, fresh: Arbitrary<unknown>) => (): Arbitrary<unknown> => {
    const values = world.known.get(name) ?? []
    if (values.length === 0) return fresh
    return fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...values) },
      { weight: 1, arbitrary: fresh },
    )
  }

const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const digest = fc.stringMatching(/^[0-9a-f]{64}$/)
const id = fc.stringMatching(/^[0-9A-Za-z]{1,12}$/)

export const hintsOf = (world: World): Hints => {
  const references = [
    ...['user', 'loan', 'session', 'hold', 'entry', 'key', 'export', 'id', 'refresh_token'],
    ...['customer', 'card', 'case', 'order', 'payment', 'statement', 'task', 'transfer'],
    ...['advance', 'check'],
  ]
  const account = knownOr(world, 'account', fc.constant('nobody'))
  const password = fc.constantFrom('a long enough password', 'another long password')
  return {
    ...Object.fromEntries(references.map((name) => [name, knownOr(world, name, id)])),
    book: () =>
      fc.oneof(
        { weight: 30, arbitrary: fc.constant('main') },
        { weight: 1, arbitrary: fc.constantFrom('side', 'nowhere') },
      ),
    account,
    from: account,
    to: account,
    owner: () => fc.oneof(fc.constant(null), knownOr(world, 'user', id)()),
    assignee: () => fc.oneof(fc.constant(null), knownOr(world, 'user', id)()),
    username: () => fc.constantFrom('ada', 'bob', 'carl', 'dora'),
    password: () => password,
    current_password: () => password,
    new_password: () => password,
    name: () => names,
    amount: () => amounts,
    asset: () => fc.constantFrom(...ASSETS),
    assets: () => fc.subarray([...ASSETS], { minLength: 1 }),
    overdraft_limit: () => fc.constantFrom('0', '1000', 'unlimited'),
    time_zone: () => fc.constantFrom('UTC', 'Africa/Nairobi', 'America/New_York'),
    expires_at: () => fc.oneof(fc.constant(null), instant(world)()),
    hold_until: instant(world),
    until: instant(world),
    through: day(world, -60, 0),
    value_date: day(world, -20, 20),
    day: day(world, 0, 300),
    at_least: () => fc.constantFrom('0', '-1000', '500'),
    at_most: () => fc.constantFrom('100000', '0'),
    sha256: () => digest,
    machine: () => fc.constant('1'),
    phone: () => fc.constantFrom('1234567890', '+254700123456'),
    version: () => fc.constantFrom('one-1', 'two-2', 'three-3'),
    webhook_url: () => fc.constantFrom(null, 'https://example.org/alerts'),
    alert: () => fc.integer({ min: 1, max: 12 }),
    age: () => fc.integer({ min: 60, max: 120 }),
    card_number: () => fc.constantFrom('4000-0001', '4000-0002', '4000-0003'),
  }
}
