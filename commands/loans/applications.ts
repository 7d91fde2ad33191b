import { z } from 'zod'
import { isRefusal, refuse } from '../../domain/kernel.ts'
import { BookId, Identifier } from '../../domain/ledger/events.ts'
import { LoanApplication } from '../../domain/loans/application.ts'
import { Loan } from '../../domain/loans/index.ts'
import { LoanProduct, RateBasisPoints, TermMonths } from '../../domain/loans/schedules.ts'
import type { LoanRequest, LoanState } from '../../domain/loans/state.ts'
import { Amount, Asset } from '../../domain/money.ts'
import { unservable } from '../assignments.ts'
import { lookAtCustomer } from '../customers.ts'
import { command, takeNumber } from '../kernel.ts'
import { dataOf, existingBook } from '../ledger/kernel.ts'
import type { Ports } from '../ports.ts'
import { lookAtUser } from '../usernames.ts'

const isKnown = async (ports: Ports, id: string): Promise<boolean> =>
  (await lookAtUser(ports, id)) !== undefined || (await lookAtCustomer(ports, id)) !== undefined

/** Files a loan for oneself, or for somebody else by those who serve him. */
export const requestLoan = command({
  name: 'loans.request',
  permission: 'loans:request',
  input: z.strictObject({
    ...{ book: BookId, asset: Asset, amount: Amount },
    /** Absent: whoever asks. */
    borrower: Identifier.optional(),
    product: LoanProduct.default('simple'),
    rate_basis_points: RateBasisPoints,
    term_months: TermMonths,
    application: LoanApplication.prefault({}),
  }),
  decider: Loan,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'LOAN_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ application, borrower: named, ...terms }, enrichment) => {
    const { ports, context, at, newId } = enrichment
    if (await enrichment.isRepeated()) return null
    const borrower = named ?? context.actor.id
    const isOwn = borrower === context.actor.id
    const refused = isOwn ? undefined : await unservable(enrichment, borrower)
    if (refused) return refused
    const state = await existingBook(ports, terms.book)
    if (isRefusal(state)) return state
    if (!state.assets.includes(terms.asset)) {
      return refuse('ASSET_UNKNOWN', `The book does not keep ${terms.asset}.`)
    }
    if (!(await isKnown(ports, borrower))) {
      return refuse('CUSTOMER_NOT_FOUND', `There is no customer ${borrower}.`, {
        field: 'borrower',
      })
    }
    const written = { application: JSON.stringify(application) }
    return {
      ...{ ...terms, loan: newId(), number: await takeNumber(enrichment, 'loans'), borrower },
      // A dry run leaves nothing behind, so it makes no key either.
      application: context.dryRun ? '' : await ports.vault.seal(borrower, written),
      ...{ requested_by: context.actor.id, requested_at: at },
    }
  },
  decide: (state: LoanState, request: LoanRequest | null) =>
    request === null ? [] : Loan.decide.request(state, request),
  answer: (events) => {
    const { loan, number } = dataOf<LoanRequest>(events, 'LoanRequested')
    return { loan, number, status: 'pending' as const }
  },
})
