/** What requests about loans must look like to be worth deciding on, and what is worth knowing. */
import fc, { type Arbitrary } from 'fast-check'
import type { Shape } from './shapes.ts'
import type { World } from './world.ts'

const LATEST = 4

const latest = ({ known }: World, name: string): Arbitrary<string> => {
  const values = known.get(name)?.slice(-LATEST) ?? []
  return values.length > 0 ? fc.constantFrom(...values) : fc.constant('none none')
}

/** Of the loan's borrower, where he has any: `loan` names him too. */
const anAccount = ({ known }: World, borrower: string): Arbitrary<string> => {
  const held = known.get('held')?.map((text) => text.split(' ')) ?? []
  const own = held.filter(([holder]) => holder === borrower).map(([, account]) => account ?? '')
  return fc.constantFrom(...(own.length > 0 ? own : ['customers:1000-0001']))
}

/** A loan, and most often an account of its borrower. */
const onLoan = (world: World, name: string): Arbitrary<{ loan: string; account: string }> =>
  latest(world, name).chain((text) => {
    const [loan = '', borrower = ''] = text.split(' ')
    return anAccount(world, borrower).map((account) => ({ loan, account }))
  })

/** Mostly for somebody who has an account, for a short time. */
const aLoan: Shape = ({ known }, { product }) =>
  fc
    .record({
      borrower: fc.constantFrom(
        ...(known.get('held')?.map((text) => text.split(' ')[0] ?? '') ?? ['none']),
      ),
      amount: fc.constantFrom('600', '5000', '150000'),
      rate_basis_points: fc.constantFrom(0, 1250, 2400),
      term_months: fc.constantFrom(1, 2, 3),
      application: fc.constantFrom({}, { purpose: 'A stall', guarantors: [{ name: 'Kofi' }] }),
    })
    .map((terms) => ({ book: 'main', asset: 'USD/2', product, ...terms }))

/** From the account that the loan was paid out to: all that it comes to, or some. */
const repayment: Shape = (world) =>
  latest(world, 'owed').chain((text) => {
    const [loan, account, total = '600'] = text.split(' ')
    return fc.constantFrom('100', '300', total).map((amount) => ({ loan, account, amount }))
  })

const underWay: Shape = (world) =>
  latest(world, 'under_way').map((text) => {
    const [loan, step] = text.split(' ')
    return { loan, step: step === 'none' ? 'disburse' : step }
  })

export const loanShapes: Readonly<Record<string, Shape>> = {
  'loans.request': aLoan,
  'loans.approve': (world) => onLoan(world, 'filed'),
  'loans.reject': (world, { reason }) =>
    onLoan(world, 'filed').map(({ loan }) => ({ loan, reason })),
  'loans.repay': repayment,
  'loans.carry_out': underWay,
  'loans.write_off': (world, input) =>
    latest(world, 'in_default').map((loan) => ({ ...input, loan })),
  // Often enough of all that was ever paid out, because what is old is forgotten.
  'loans.age': ({ known }) =>
    fc.record({ loan: fc.constantFrom(...(known.get('owing') ?? ['none'])) }),
}

export const loanWeights: Readonly<Record<string, number>> = {
  'loans.request': 6,
  'loans.approve': 14,
  'loans.reject': 2,
  'loans.repay': 10,
  'loans.carry_out': 16,
  'loans.write_off': 10,
  'loans.age': 12,
}

type Disbursed = { readonly instalments?: readonly { principal: string; interest: string }[] }

const totalOf = ({ instalments = [] }: Disbursed): bigint =>
  instalments.reduce(
    (total, { principal, interest }) => total + BigInt(principal) + BigInt(interest),
    0n,
  )

/** What becomes known by an event, under names that the shapes look for. */
export const loanHints = (type: string, data: unknown): object => {
  const { loan, borrower, repayment, account, owner } = data as Record<string, unknown>
  const hints: Readonly<Record<string, object>> = {
    AccountOpened: `${account}`.startsWith('customers:1000-')
      ? { held: `${owner} ${account}` }
      : {},
    LoanRequested: { filed: `${loan} ${borrower}` },
    LoanApproved: { under_way: `${loan} disburse` },
    LoanDisbursed: { owing: loan, owed: `${loan} ${account} ${totalOf(data as Disbursed)}` },
    LoanRepaymentAccepted: { under_way: `${loan} repay:${repayment}` },
    LoanDefaulted: { in_default: loan },
    LoanWriteOffAccepted: { under_way: `${loan} write-off` },
  }
  return hints[type] ?? {}
}
