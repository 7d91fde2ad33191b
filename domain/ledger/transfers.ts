import { type Decision, isRefusal, type Refusal, refuse } from '../kernel.ts'
import type { Screening } from '../screening.ts'
import { accountOf } from './apply.ts'
import type { LedgerEvent, ScreenedTransfer } from './events.ts'
import { openHold, released } from './holds.ts'
import { pairOf } from './lines.ts'
import { tryHold, tryPosting } from './posting.ts'
import type { Poster, Posting } from './request.ts'
import { type Book, draftOf, type OpenHold } from './state.ts'

/** One account debited, one credited, and what the risk gate said where it was asked. */
export type AskedTransfer = {
  readonly posting: Posting
  readonly poster: Poster
  readonly screening: Screening | undefined
  readonly asked_by: string
}

const REVIEW_MS = 3 * 86_400_000

const reviewedUntil = (at: string): string => new Date(Date.parse(at) + REVIEW_MS).toISOString()

const transferOf = (
  book: Book,
  { posting, asked_by }: AskedTransfer,
  screening: Screening,
): ScreenedTransfer => {
  const from = posting.lines.find(({ direction }) => direction === 'debit')
  const to = posting.lines.find(({ direction }) => direction === 'credit')
  if (!from || !to) throw new Error('a transfer debits one account and credits another')
  const { id, at, kind, description, value_date, reference, metadata, holds } = posting
  const hold_until = holds?.[0]?.until
  return {
    ...{ id, kind, from: from.account, to: to.account, amount: from.amount, description },
    asset: accountOf(book, from.account).asset,
    ...(value_date !== undefined && { value_date }),
    ...(reference !== undefined && { reference }),
    ...(metadata !== undefined && { metadata }),
    ...(hold_until !== undefined && { hold_until }),
    ...{ asked_by, asked_at: at, screening },
  }
}

/** Keeps the money back until somebody decides, or the review has taken too long. */
const holdBack = (book: Book, transfer: ScreenedTransfer): Decision<LedgerEvent> => {
  const { id, from: account, amount, description, asked_at } = transfer
  const expires_at = reviewedUntil(asked_at)
  const hold = { id, account, amount, kind: 'authorisation' as const, description, expires_at }
  return tryHold(draftOf(book), hold, asked_at, transfer)
}

const refused = (transfer: ScreenedTransfer): Decision<LedgerEvent> => [
  {
    type: 'TransferDeclined',
    data: {
      transfer,
      declined_by: null,
      reason: 'The risk gate refused it',
      declined_at: transfer.asked_at,
    },
  },
]

/**
 * Posts, holds or declines as the gate said. What could not be posted anyway is refused for its own
 * reason, whatever the gate said: nobody is suspected for a lack of money.
 */
export const transfer = (book: Book, asked: AskedTransfer): Decision<LedgerEvent> => {
  const { posting, poster, screening } = asked
  const screened = screening === undefined ? posting : { ...posting, screening }
  const tried = tryPosting(book, draftOf(book), screened, poster)
  if (isRefusal(tried)) return tried
  if (screening === undefined || screening.outcome === 'post') return tried.events
  const asTransfer = transferOf(book, asked, screening)
  return screening.outcome === 'hold' ? holdBack(book, asTransfer) : refused(asTransfer)
}

type Reviewed = { readonly transfer: string; readonly by: string; readonly at: string }
type HeldTransfer = { readonly hold: OpenHold; readonly transfer: ScreenedTransfer }

const heldTransfer = (book: Book, { transfer: id, by, at }: Reviewed): HeldTransfer | Refusal => {
  const hold = openHold(book, id, at)
  if (isRefusal(hold)) return hold
  const { transfer } = hold
  if (!transfer) return refuse('HOLD_NOT_OPEN', `Hold ${id} is not that of a transfer.`)
  if (transfer.asked_by === by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever asked for a transfer does not decide about it.')
  }
  return { hold, transfer }
}

/** Books a held transfer: the money that was kept back goes where it was to go. */
export const approveTransfer = (book: Book, reviewed: Reviewed): Decision<LedgerEvent> => {
  const held = heldTransfer(book, reviewed)
  if (isRefusal(held)) return held
  const { id, kind, from, to, amount, description, screening, ...rest } = held.transfer
  const { hold_until, value_date, reference, metadata } = rest
  const isStillHeld = hold_until !== undefined && hold_until > reviewed.at
  const posting: Posting = {
    ...{ id, kind, description, value_date, reference, metadata, screening },
    at: reviewed.at,
    lines: pairOf(from, to, amount),
    captures: { hold: id, amount, left: '0' },
    approved_by: reviewed.by,
    ...(isStillHeld && {
      holds: [{ id: `${id}-0`, account: to, amount, until: hold_until }],
    }),
  }
  const tried = tryPosting(book, draftOf(book), posting, { owner: null })
  return isRefusal(tried) ? tried : tried.events
}

/** Gives back what a held transfer kept, and says why. */
export const declineTransfer = (
  book: Book,
  reviewed: Reviewed & { readonly reason: string },
): Decision<LedgerEvent> => {
  const held = heldTransfer(book, reviewed)
  if (isRefusal(held)) return held
  const { by: declined_by, at: declined_at, reason } = reviewed
  const data = { transfer: held.transfer, declined_by, reason, declined_at }
  return [released(held.hold, reviewed.at), { type: 'TransferDeclined', data }]
}
