import { z } from 'zod'
import { Instant } from '../../domain/ledger/events.ts'

/** A moment in the past: an instant (when it was booked) or a log position. */
export const At = z.union([Instant, z.string().regex(/^\d{1,20}$/)], {
  error: 'at is an instant such as 2026-01-31T23:59:59.999Z, or a log position: digits',
})

/** The condition on a table of entry lines that shows it as it was. */
export const asOf = (at: string): { readonly condition: string; readonly value: string } =>
  /^\d+$/.test(at)
    ? { condition: 'position <= ?::numeric', value: at }
    : { condition: 'booked_at <= ?::timestamptz', value: at }
