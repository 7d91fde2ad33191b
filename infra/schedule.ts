import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import { expireCardSession } from '../commands/card_sessions.ts'
import { newUlid } from '../commands/ids.ts'
import { type Context, execute } from '../commands/kernel.ts'
import { expireHolds } from '../commands/ledger/index.ts'
import { carryOutPayment } from '../commands/payments/index.ts'
import type { Ports } from '../commands/ports.ts'
import { createTurns } from '../domain/turns.ts'
import type { Freshness } from '../projections/freshness.ts'
import { carryOutDue } from './due.ts'
import { findLeftBehind } from './left_behind.ts'
import { workOnLoans } from './loans.ts'
import type { Log } from './log.ts'
import { SYSTEM } from './system.ts'
import { bookUnbooked } from './unbooked.ts'
import { finishUndone } from './undone.ts'

const TICK_MS = 1000
const AT_ONCE = 500

export type ScheduleOptions = {
  readonly ports: Ports
  readonly database: Pool
  readonly freshness: Freshness
  readonly log: Log
  readonly signal: AbortSignal
}

export type Schedule = {
  /** Does all that is due now and answers whether there was anything. */
  catchUp(): Promise<boolean>
  readonly ended: Promise<void>
}

/** By the read model; what it has not seen yet is due at the next look. */
const endHolds = async (
  { ports, database }: ScheduleOptions,
  context: Context,
): Promise<boolean> => {
  const { rows } = await database.query<{ book: string }>(
    `select distinct book from holds where status = 'open' and expires_at <= $1`,
    [context.at],
  )
  for (const { book } of rows) await execute(ports, expireHolds, { book }, context)
  return rows.length > 0
}

const endCardSessions = async ({ ports }: ScheduleOptions, context: Context): Promise<boolean> => {
  const expired = await ports.cardSessions.expired(context.at, AT_ONCE)
  for (const { session } of expired) await execute(ports, expireCardSession, { session }, context)
  return expired.length > 0
}

const carryOutPayments = async (
  { ports, database }: ScheduleOptions,
  context: Context,
): Promise<boolean> => {
  const left = await findLeftBehind<{ payment: string }>(
    database,
    context,
    `select payment from payments where status = 'accepted'
       and coalesce(decided_at, requested_at) <= $1 order by number`,
  )
  for (const { payment } of left) await execute(ports, carryOutPayment, { payment }, context)
  return left.length > 0
}

/**
 * The clock's own work: ends holds and card sessions whose time has come, about a second late, and
 * carries out payments that were left behind, and what has become due.
 */
export const runSchedule = (options: ScheduleOptions): Schedule => {
  const { ports, log, signal } = options
  // One after another: what becomes due is brought about in the order of its days.
  const inTurn = createTurns()
  const work = async (): Promise<boolean> => {
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const holds = await endHolds(options, context)
    const payments = await carryOutPayments(options, context)
    const loans = await workOnLoans(options, context)
    const unbooked = await bookUnbooked(options, context)
    const undone = await finishUndone(options, context)
    const sessions = await endCardSessions(options, context)
    const done = holds || payments || loans || unbooked || undone || sessions
    return (await carryOutDue(options, context)) || done
  }
  const catchUp = () => inTurn(work)
  const tick = async (): Promise<void> => {
    while (!signal.aborted) {
      await catchUp().catch((error: unknown) =>
        log.error({ error: String(error) }, 'the clock failed'),
      )
      await wait(TICK_MS, undefined, { signal }).catch(() => undefined)
    }
  }
  return { catchUp, ended: tick() }
}
