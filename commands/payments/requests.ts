import { z } from 'zod'
import { type Decoded, isRefusal, type Refusal, refuse } from '../../domain/kernel.ts'
import { firstBookableDay } from '../../domain/ledger/checks.ts'
import { AccountCode, BookId, Day } from '../../domain/ledger/events.ts'
import type { Account, Book } from '../../domain/ledger/state.ts'
import { Amount } from '../../domain/money.ts'
import {
  legsOf,
  needsApproval,
  Payment,
  PaymentKind,
  type PaymentRequest,
  type PaymentState,
  unfitParties,
} from '../../domain/payments.ts'
import type { RefusalCode } from '../../domain/refusals.ts'
import { unservable } from '../assignments.ts'
import { command, type Enrichment, takeNumber } from '../kernel.ts'
import { screeningOf } from '../ledger/gate.ts'
import { dataOf, existingBook } from '../ledger/kernel.ts'
import { referenceOf } from '../sequences.ts'
import { bookPayment, lookAtPayment } from './booking.ts'

type Asked = Pick<
  PaymentRequest,
  'book' | 'kind' | 'channel' | 'from' | 'to' | 'amount' | 'description'
> & {
  /** A second person has to look at it, whatever the amount. */
  readonly propose: boolean
  /** When it was due: from then on the money counts, unless it waits for a second person. */
  readonly due?: string
}

type Sides = {
  readonly from: Account | null
  readonly to: Account | null
  readonly asset: string
  readonly valueDate: string | undefined
}

const noAccount = (account: string): Refusal =>
  refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })

/** A customer's account: the bank's own take part in payments by their kind alone. */
const customersAccount = (book: Book, code: string | null): Account | null | Refusal => {
  if (code === null) return null
  const found = book.accounts.get(code)
  return found && found.owner !== null ? found : noAccount(code)
}

/** A customer gives from his own account, or pays in to it; to him, others' are not there. */
const sidesOf = (
  book: Book,
  asked: Asked,
  { reach, context }: Pick<Enrichment, 'reach' | 'context'>,
): Sides | Refusal => {
  const from = customersAccount(book, asked.from)
  const to = customersAccount(book, asked.to)
  if (isRefusal(from)) return from
  const own = from ?? to
  if (isRefusal(own)) return own
  if (own === null) throw new Error(`a ${asked.kind} has no account`)
  if (reach === 'own' && own.owner !== context.actor.id) return noAccount(own.code)
  if (isRefusal(to)) return to
  if (to && to.asset !== own.asset) return noAccount(to.code)
  const { due } = asked
  const valueDate = due && firstBookableDay(book, due, context.at.toISOString())
  return { from, to, asset: own.asset, valueDate }
}

/** What is recorded. What could not be booked now is refused before anything is written. */
const prepare = async (
  { propose, due: _due, ...asked }: Asked,
  { from, to, asset, valueDate }: Sides,
  enrichment: Enrichment,
): Promise<PaymentRequest | Refusal> => {
  const { context, at, newId } = enrichment
  const payment = newId()
  const given = {
    ...{ ...asked, payment, asset, requested_by: context.actor.id, requested_at: at },
    ...{ from_owner: from?.owner ?? null, to_owner: to?.owner ?? null },
  }
  const { id: actor, roles } = context.actor
  const isCollected = given.channel === 'counter' && given.kind === 'deposit'
  const tried = { ...given, reference: '', approval: 'none' } as const
  const unbookable = await bookPayment(enrichment, tried, true)
  if (isRefusal(unbookable)) return unbookable
  const { debit, credit } = legsOf(given)
  const gated = { ...asked, from: debit, to: credit, metadata: { payment } }
  const screening = from === null ? undefined : await screeningOf(enrichment, gated)
  const waits = propose || screening?.outcome === 'hold' || needsApproval(asked.amount)
  return {
    ...given,
    number: await takeNumber(enrichment, 'payments'),
    reference: referenceOf(await takeNumber(enrichment, 'references'), at.slice(0, 10)),
    approval: waits ? 'needed' : 'none',
    ...(valueDate !== undefined && !waits && { value_date: valueDate }),
    ...(screening && { screening }),
    ...(isCollected && roles.includes('mobile_banker') && { collector: actor }),
  }
}

type Requested = {
  readonly payment: string
  readonly number: number
  readonly status: 'accepted' | 'pending'
}

/** A refusal when the risk gate declined it. */
const requestedOf = (events: readonly Decoded[]): Requested | Refusal => {
  const { payment, number, approval } = dataOf<PaymentRequest>(events, 'PaymentRequested')
  const failed = events.find(({ type }) => type === 'PaymentFailed')
  if (failed) {
    const { code, detail } = failed.data as { code: RefusalCode; detail: string }
    return refuse(code, detail, { payment })
  }
  return { payment, number, status: approval === 'needed' ? 'pending' : 'accepted' }
}

/** The engine knows what to answer then: the money of the first one may be what is lacking now. */
const isRepetition = async ({ ports, context, newId }: Enrichment): Promise<boolean> =>
  context.key !== undefined && (await lookAtPayment(ports, newId())).request !== null

const requesting = <Input extends z.ZodType>(
  name: string,
  permission: 'transfers:post' | 'payments:counter' | 'clock:work',
  input: Input,
  askedBy: (input: z.infer<Input>) => Asked,
) =>
  command({
    ...{ name, permission, input, decider: Payment, otherwise: 'PAYMENT_EXISTS' },
    stream: (_input, { newId }) => newId(),
    on: 'new',
    ifMatch: 'stream',
    enrich: async (given, enrichment): Promise<PaymentRequest | Refusal | null> => {
      if (await isRepetition(enrichment)) return null
      const asked = askedBy(given)
      const unfit = unfitParties(asked)
      if (unfit) return unfit
      const book = await existingBook(enrichment.ports, asked.book)
      if (isRefusal(book)) return book
      const sides = sidesOf(book, asked, enrichment)
      if (isRefusal(sides)) return sides
      const client = (sides.from ?? sides.to)?.owner ?? ''
      return (await unservable(enrichment, client)) ?? prepare(asked, sides, enrichment)
    },
    decide: (state: PaymentState, request: PaymentRequest | null) =>
      request === null ? [] : Payment.decide.request(state, request),
    answer: requestedOf,
  })

const Side = AccountCode.nullable().default(null)
const Description = z.string().trim().max(256).default('')

/** Of a customer's own account, or of anybody's by staff; from 5,000.00 on it waits for approval. */
export const requestPayment = requesting(
  'payments.request',
  'transfers:post',
  z.strictObject({
    ...{ book: BookId, kind: PaymentKind, from: Side, to: Side },
    ...{ amount: Amount, description: Description },
    /** To have a second person look at it whatever the amount. */
    propose: z.boolean().default(false),
  }),
  (input) => ({ ...input, channel: 'online' }),
)

/** Cash over the counter, in or out. */
export const requestCounterPayment = requesting(
  'payments.request_at_counter',
  'payments:counter',
  z.strictObject({
    ...{ book: BookId, kind: z.enum(['deposit', 'withdrawal']), account: AccountCode },
    ...{ amount: Amount, description: Description },
  }),
  ({ account, ...input }) => ({
    ...{ ...input, channel: 'counter', propose: false },
    from: input.kind === 'withdrawal' ? account : null,
    to: input.kind === 'deposit' ? account : null,
  }),
)

/** What a standing order is due for: in time or later, the money counts from that day on. */
export const requestDuePayment = requesting(
  'payments.request_due',
  'clock:work',
  z.strictObject({
    ...{ book: BookId, from: AccountCode, to: AccountCode, amount: Amount },
    ...{ description: Description, due: Day },
  }),
  (input) => ({ ...input, kind: 'transfer', channel: 'online', propose: false }),
)
