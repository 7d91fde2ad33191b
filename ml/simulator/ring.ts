import type { Random } from '../random.ts'
import { between, fork, index, pick } from '../random.ts'
import type { Person } from './customers.ts'
import type { Day, Intent } from './days.ts'
import { ACCOUNTS, within } from './days.ts'

/**
 * A ring that takes over accounts. Its mules are customers who otherwise live like everybody else,
 * so nothing but behaviour tells its payments apart.
 */
export type Fraud = {
  /** Account take-overs in the whole period. */
  readonly attacks: number
  /** Customers who lend the ring their accounts. */
  readonly mules: number
}

export type Attack = { readonly day: number; readonly style: 'burst' | 'patient' | 'single' }

const MINUTE_MS = 60_000
/** The first days stay quiet: an account needs a history that can be departed from. */
const QUIET_DAYS = 5

/** Spread evenly over the period, with some irregularity. */
export const planAttacks = (fraud: Fraud, days: number, next: Random): Attack[] =>
  Array.from({ length: fraud.attacks }, (_, position): Attack => {
    const open = Math.max(0, days - QUIET_DAYS)
    const day = Math.min(QUIET_DAYS, days - 1) + (open * (position + next())) / fraud.attacks
    const dice = next()
    return {
      day: Math.min(days - 1, Math.floor(day)),
      style: dice < 0.6 ? 'burst' : dice < 0.85 ? 'patient' : 'single',
    }
  })

/** Who works for the ring: drawn once, so the same mules collect again and again. */
export const chooseMules = (people: readonly Person[], fraud: Fraud, seed: number): Set<Person> => {
  const next = fork(seed, -2)
  const mules = new Set<Person>()
  const wanted = Math.min(fraud.mules, Math.floor(people.length / 2))
  while (mules.size < wanted) mules.add(pick(next, people))
  return mules
}

const steal = (at: number, victim: Person, mule: Person, share: number): Intent => ({
  at,
  kind: 'transfer',
  from: victim.accounts.checking,
  to: mule.accounts.checking,
  amount: { share },
  description: 'Transfer',
  fraud: true,
})

/** What came in leaves again, as cash or to another bank, before anybody looks. */
const cashOut = (mule: Person, from: number, next: Random): Intent[] => {
  let at = from
  return Array.from({ length: 1 + index(next, 3) }, (): Intent => {
    at += Math.floor(between(next, 4, 50) * MINUTE_MS)
    const toBank = next() < 0.4
    return {
      at,
      kind: toBank ? 'transfer' : 'withdrawal',
      from: mule.accounts.checking,
      to: toBank ? ACCOUNTS.banks : ACCOUNTS.cash,
      amount: { share: between(next, 0.35, 0.85) },
      description: toBank ? 'Transfer' : 'Cash',
      fraud: true,
    }
  })
}

const burst = (victims: Person[], mules: Person[], day: Day, next: Random): Intent[] => {
  const begun = within(next, day, 0.2, 4)
  const stolen = victims.flatMap((victim) => {
    let at = begun + Math.floor(between(next, 0, 30) * MINUTE_MS)
    return Array.from({ length: 3 + index(next, 5) }, () => {
      at += Math.floor(between(next, 0.7, 6) * MINUTE_MS)
      return steal(at, victim, pick(next, mules), between(next, 0.12, 0.4))
    })
  })
  const over = Math.max(...stolen.map((intent) => intent.at))
  return [...stolen, ...mules.flatMap((mule) => cashOut(mule, over, next))]
}

const patient = (victims: Person[], mules: Person[], day: Day, next: Random): Intent[] =>
  victims.flatMap((victim) => {
    const mule = pick(next, mules)
    let at = within(next, day, 9, 13)
    const stolen = Array.from({ length: 2 + index(next, 2) }, () => {
      at += Math.floor(between(next, 25, 110) * MINUTE_MS)
      return steal(at, victim, mule, between(next, 0.08, 0.25))
    })
    return [...stolen, ...cashOut(mule, at, next)]
  })

/** All intents of one attack; they stay within the day. */
export const carryOut = (
  attack: Attack,
  people: readonly Person[],
  mules: ReadonlySet<Person>,
  day: Day,
  next: Random,
): Intent[] => {
  const honest = people.filter((person) => !mules.has(person))
  const ring = [...mules]
  if (honest.length === 0 || ring.length === 0) return []
  const draw = (from: readonly Person[], count: number) => [
    ...new Set(Array.from({ length: count }, () => pick(next, from))),
  ]
  if (attack.style === 'burst') {
    return burst(draw(honest, 1 + index(next, 3)), draw(ring, 1 + index(next, 3)), day, next)
  }
  if (attack.style === 'patient') {
    return patient(draw(honest, 1 + index(next, 2)), draw(ring, 1 + index(next, 2)), day, next)
  }
  const mule = pick(next, ring)
  const at = within(next, day, 0, 19)
  return [steal(at, pick(next, honest), mule, between(next, 0.5, 0.9)), ...cashOut(mule, at, next)]
}
