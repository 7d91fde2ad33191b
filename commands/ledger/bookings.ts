import { type AnyEvent, type Decision, isRefusal, type Refusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Posting } from '../../domain/ledger/request.ts'
import type { Book } from '../../domain/ledger/state.ts'
import type { Outcome } from '../engine.ts'
import type { Enrichment } from '../kernel.ts'

export type Booking = {
  readonly book: string
  /** Such as `loan:<id>:disburse`: what is asked for under it is booked once. */
  readonly key: string
  /** The name of the command that it is part of. */
  readonly causation: string
  readonly posting: Posting
}

/**
 * Books an entry that another module has decided on, as staff do: whose the accounts are was looked
 * at there. However often, and by whomever it is asked for, it is booked once. A dry run only says
 * whether it could be.
 */
export const bookOnce = (
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
  { book, key, causation, posting }: Booking,
  dryRun = false,
): Promise<Outcome | Refusal> =>
  ports.engine.submit(Ledger, `${Ledger.category}-${book}`, {
    decide: (state) => Ledger.decide.post(state as Book, { posting, poster: { owner: null } }),
    expect: 'existing',
    otherwise: 'BOOK_NOT_FOUND',
    revision: undefined,
    metadata: {
      ...{ command: key, digest: key, causation, schema: '1' },
      ...{ correlation: context.correlation, actor: context.actor.id },
    },
    at: context.at,
    dryRun,
  })

/**
 * What was decided, unless it leads to an entry that the ledger refused when it was tried. Who may
 * not decide is told so first, and learns nothing of an account.
 */
export const ifBookable = <Event extends AnyEvent>(
  decision: Decision<Event>,
  tried: Outcome | Refusal | undefined,
): Decision<Event> => (!isRefusal(decision) && isRefusal(tried) ? tried : decision)
