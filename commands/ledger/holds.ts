import type { Hold } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { CaptureHold, ExpireHolds, PlaceHold, ReleaseHold } from './inputs.ts'
import { bookCommand, dataOf, entryOf, posterOf } from './kernel.ts'

export const placeHold = bookCommand({
  name: 'holds.place',
  permission: 'holds:place',
  input: PlaceHold,
  enrich: ({ book: _book, ...hold }, { at, newId }) => ({
    hold: { ...hold, id: newId(), kind: 'authorisation' as const },
    at,
  }),
  decide: Ledger.decide.placeHold,
  answer: (events) => dataOf<{ hold: Hold }>(events, 'HoldPlaced').hold,
})

export const captureHold = bookCommand({
  name: 'holds.capture',
  permission: 'holds:place',
  input: CaptureHold,
  enrich: ({ book: _book, final, ...input }, enrichment) => ({
    ...input,
    closes: final,
    id: enrichment.newId(),
    at: enrichment.at,
    poster: posterOf(enrichment),
  }),
  decide: Ledger.decide.captureHold,
  answer: entryOf,
})

export const releaseHold = bookCommand({
  name: 'holds.release',
  permission: 'holds:place',
  input: ReleaseHold,
  enrich: ({ hold }, { at }) => ({ hold, at }),
  decide: Ledger.decide.releaseHold,
  answer: (events) =>
    dataOf<{ hold: string; account: string; amount: string }>(events, 'HoldReleased'),
})

const EXPIRIES_AT_ONCE = 500

/** What the clock asks for: ends the holds whose time has come. */
export const expireHolds = bookCommand({
  name: 'holds.expire',
  permission: 'holds:place',
  input: ExpireHolds,
  enrich: (_input, { at }) => ({ at, limit: EXPIRIES_AT_ONCE }),
  decide: Ledger.decide.expireHolds,
  answer: (events) => ({ expired: events.length }),
})
