import { z } from 'zod'
import { dayOf } from './calendar.ts'

export const MachineId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a machine is lower-case letters, digits and dashes')

/** Where a machine's money lies: notes to give out, notes taken in; checks are on their way. */
export const machineAccounts = (machine: string) => ({
  cassette: `cash:machines:${machine}:twenties`,
  deposits: `cash:machines:${machine}:deposits`,
})
export const CHECK_CLEARING = 'clearing:checks'
export const VAULT = 'cash:vault'

/** A $20 note, in cents. */
export const NOTE_CENTS = 2000

export const DepositKind = z.enum(['cash', 'check'])
export type DepositKind = z.infer<typeof DepositKind>

const DAY_MS = 86_400_000
const SUNDAY = 0
const SATURDAY = 6

/**
 * The beginning (00:00 UTC) of the nth business day after the day of `at`. Monday to Friday are
 * business days; machines know no holidays.
 */
export const businessDayAfter = (at: string, days: number): string => {
  let day = new Date(`${dayOf(at, 'UTC')}T00:00:00.000Z`)
  for (let left = days; left > 0; ) {
    day = new Date(day.getTime() + DAY_MS)
    if (day.getUTCDay() !== SUNDAY && day.getUTCDay() !== SATURDAY) left -= 1
  }
  return day.toISOString()
}

/** Of a deposit, so much is free first: cents. */
const FREE_FIRST = 20_000n

export type HeldPart = { readonly amount: string; readonly until: string }

/**
 * What of a deposit is held, and until when. Cash: the first $200 is free at once, the rest the
 * next business day. Checks: the first $200 the next business day, the rest after two. (Hold policy
 * of the cash machine's API document.)
 */
export const heldParts = (kind: DepositKind, amount: bigint, at: string): HeldPart[] => {
  const first = amount < FREE_FIRST ? amount : FREE_FIRST
  const rest = amount - first
  const days = kind === 'cash' ? [0, 1] : [1, 2]
  return [first, rest].flatMap((part, index) => {
    const wait = days[index] ?? 0
    if (part === 0n || wait === 0) return []
    return [{ amount: part.toString(), until: businessDayAfter(at, wait) }]
  })
}
