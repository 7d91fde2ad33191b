import { type Decision, isRefusal, type Refusal, refuse } from '../kernel.ts'
import type { Hold, LedgerEvent } from './events.ts'
import { pairOf } from './lines.ts'
import { tryHold, tryPosting } from './posting.ts'
import type { Poster } from './request.ts'
import { type Book, draftOf, type OpenHold } from './state.ts'

export const placeHold = (
  book: Book,
  command: { readonly hold: Omit<Hold, 'asset'>; readonly at: string },
): Decision<LedgerEvent> => {
  const { hold, at } = command
  if (book.holds.get(hold.id)) return refuse('HOLD_EXISTS', `There is a hold ${hold.id} already.`)
  if (hold.expires_at !== null && hold.expires_at <= at) {
    return refuse('HOLD_EXPIRY_PAST', `The hold would end at ${hold.expires_at}, which is past.`, {
      field: 'expires_at',
    })
  }
  return tryHold(draftOf(book), hold, at)
}

/** The hold, unless it ended or its time has come. */
export const openHold = (book: Book, id: string, at: string): OpenHold | Refusal => {
  const hold = book.holds.get(id)
  if (!hold || (hold.expires_at !== null && hold.expires_at <= at)) {
    return refuse('HOLD_NOT_OPEN', `Hold ${id} is not open: it ended or never was.`, { hold: id })
  }
  return hold
}

/** A held transfer is decided about; its hold is nobody's to spend or to give back meanwhile. */
const freeHold = (book: Book, id: string, at: string): OpenHold | Refusal => {
  const hold = openHold(book, id, at)
  if (isRefusal(hold) || !hold.transfer) return hold
  return refuse('HOLD_AWAITS_REVIEW', `Hold ${id} is that of a transfer under review.`)
}

export const released = ({ id, account, left }: OpenHold, at: string): LedgerEvent => ({
  type: 'HoldReleased',
  data: { hold: id, account, amount: left.toString(), released_at: at },
})

export const releaseHold = (
  book: Book,
  command: { readonly hold: string; readonly at: string },
): Decision<LedgerEvent> => {
  const hold = freeHold(book, command.hold, command.at)
  return isRefusal(hold) ? hold : [released(hold, command.at)]
}

/** Spends from a hold: several times until nothing is left, or once and for all with `closes`. */
export const captureHold = (
  book: Book,
  command: {
    readonly hold: string
    readonly to: string
    readonly amount?: string | undefined
    readonly closes: boolean
    readonly id: string
    readonly at: string
    readonly description?: string | undefined
    readonly poster: Poster
  },
): Decision<LedgerEvent> => {
  const hold = freeHold(book, command.hold, command.at)
  if (isRefusal(hold)) return hold
  const amount = command.amount ?? hold.left.toString()
  if (BigInt(amount) > hold.left) {
    return refuse(
      'HOLD_EXCEEDED',
      `Hold ${hold.id} has ${hold.left} left, ${amount} is asked for.`,
      {
        left: hold.left.toString(),
        requested: amount,
      },
    )
  }
  const left = command.closes ? 0n : hold.left - BigInt(amount)
  const posting = {
    id: command.id,
    at: command.at,
    kind: 'capture',
    lines: pairOf(hold.account, command.to, amount),
    description: command.description ?? hold.description,
    captures: { hold: hold.id, amount, left: left.toString() },
  }
  const result = tryPosting(book, draftOf(book), posting, command.poster)
  return isRefusal(result) ? result : result.events
}

/** Ends the holds whose time has come, at most `limit` of them in one go. */
export const expireHolds = (
  book: Book,
  command: { readonly at: string; readonly limit: number },
): Decision<LedgerEvent> => {
  const events: LedgerEvent[] = []
  for (const hold of book.holds.rows.values()) {
    if (events.length === command.limit) break
    if (hold.expires_at === null || hold.expires_at > command.at) continue
    events.push({
      type: 'HoldExpired',
      data: {
        hold: hold.id,
        account: hold.account,
        amount: hold.left.toString(),
        expired_at: command.at,
      },
    })
  }
  return events
}
