import { z } from 'zod'
import { type Decoded, type Refusal, refuse } from '../../domain/kernel.ts'
import {
  BookId,
  type Entry,
  Identifier,
  type ScreenedTransfer,
} from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { pairOf } from '../../domain/ledger/lines.ts'
import type { Enrichment } from '../kernel.ts'
import { screeningOf } from './gate.ts'
import { PostTransfer } from './inputs.ts'
import { bookCommand, entryOf, posterOf, postingOf } from './kernel.ts'

/** What others' accounts stand at, and how risk is judged, is none of a customer's business. */
const forOwnerOf = (account: string, { screening: _screening, ...entry }: Entry): Entry => ({
  ...entry,
  lines: entry.lines.map((line) => (line.account === account ? line : { ...line, balance: '' })),
})

/** The refusal when the risk gate declined; undefined when it did not. */
export const declinedOf = (events: readonly Decoded[]): Refusal | undefined => {
  const declined = events.find(({ type }) => type === 'TransferDeclined')
  if (!declined) return undefined
  const { transfer } = declined.data as { transfer: ScreenedTransfer }
  return refuse('TRANSFER_DECLINED', 'It looks too much like fraud to be booked.', {
    transfer: transfer.id,
  })
}

/** A transfer that waits for somebody to approve or decline it. */
export type Held = {
  readonly id: string
  readonly status: 'held'
  readonly expires_at: string | null
}

const heldOf = (data: unknown): Held => {
  const { hold } = data as { hold: { id: string; expires_at: string | null } }
  return { id: hold.id, status: 'held', expires_at: hold.expires_at }
}

/** Money from one account to another; where the risk gate is asked, it may be held or declined. */
export const postTransfer = bookCommand({
  name: 'transfers.post',
  permission: 'transfers:post',
  input: PostTransfer,
  enrich: async ({ book, from, to, amount, hold_until, risk, ...input }, enrichment) => {
    if (from === to) return refuse('SAME_ACCOUNT', `Both are ${from}.`, { field: 'to' })
    if (hold_until !== undefined && enrichment.reach !== 'all') {
      return refuse('NOT_PERMITTED', 'Only staff decide what is held on an account.', {
        field: 'hold_until',
      })
    }
    const lines = [...pairOf(from, to, amount)]
    const holds = hold_until ? [{ account: to, amount, until: hold_until }] : undefined
    const { kind, metadata } = input
    return {
      posting: postingOf({ ...input, lines, ...(holds && { holds }) }, enrichment),
      poster: posterOf(enrichment),
      screening: await screeningOf(enrichment, { book, from, to, amount, kind, metadata, risk }),
      asked_by: enrichment.context.actor.id,
    }
  },
  decide: Ledger.decide.transfer,
  answer: (events, { from }, { poster }) => {
    const declined = declinedOf(events)
    if (declined) return declined
    const held = events.find(({ type }) => type === 'HoldPlaced')
    if (held) return heldOf(held.data)
    const entry = entryOf(events)
    return poster.owner === null ? entry : forOwnerOf(from, entry)
  },
})

const Reviewed = { book: BookId, transfer: Identifier }

const reviewOf = ({ context, at }: Enrichment) => ({ by: context.actor.id, at })

/** Books a transfer that the risk gate held. Never by whoever asked for it. */
export const approveTransfer = bookCommand({
  name: 'transfers.approve',
  permission: 'risk:decide',
  input: z.strictObject(Reviewed),
  enrich: ({ transfer }, enrichment) => ({ transfer, ...reviewOf(enrichment) }),
  decide: Ledger.decide.approveTransfer,
  answer: entryOf,
})

/** Gives the money back that a held transfer kept. */
export const declineTransfer = bookCommand({
  name: 'transfers.decline',
  permission: 'risk:decide',
  input: z.strictObject({ ...Reviewed, reason: z.string().trim().min(1).max(256) }),
  enrich: ({ transfer, reason }, enrichment) => ({ transfer, reason, ...reviewOf(enrichment) }),
  decide: Ledger.decide.declineTransfer,
  answer: (_events, { transfer }) => ({ transfer, status: 'declined' as const }),
})
