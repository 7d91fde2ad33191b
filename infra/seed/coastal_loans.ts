/** Loans of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import { bringForward, openDeposit } from '../../commands/deposits.ts'
import { type Command, type Context, execute } from '../../commands/kernel.ts'
import { postEntry } from '../../commands/ledger/index.ts'
import {
  ageLoan,
  approveLoan,
  carryOutLoan,
  rejectLoan,
  repayLoan,
  requestLoan,
  writeOffLoan,
} from '../../commands/loans/index.ts'
import type { Actor } from '../../commands/ports.ts'
import { OPENING_BALANCE, openingEquityOf } from '../../domain/deposits.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { pairOf } from '../../domain/ledger/lines.ts'
import { costOf, LoanProduct, TermMonths } from '../../domain/loans/schedules.ts'
import { SYSTEM } from '../system.ts'
import { SeedRefused } from './ask.ts'
import type { Sowing } from './coastal.ts'
import { Cedis, type MoneySeed, missing, Ref } from './coastal_money.ts'
import type { Refs } from './machine.ts'

const kept = { book: 'main', asset: 'GHS/2' } as const

/** Long enough ago for a loan to be in default now. */
const DEFAULTED_DAYS = 150

export const GivenLoan = z.strictObject({
  ref: Ref,
  /** The ref of a user. */
  user: Ref,
  amount: Cedis,
  /** Percent a year. */
  interest_rate: z
    .string()
    .regex(/^\d{1,3}(?:\.\d{1,2})?$/, 'a rate has at most two decimals')
    .transform((text) => Math.round(Number(text) * 100))
    .default(1000),
  term_months: TermMonths.default(12),
  loan_type: LoanProduct.default('simple'),
  status: z
    .enum(['pending', 'approved', 'active', 'paid_off', 'defaulted', 'rejected', 'written_off'])
    .default('pending'),
})
type GivenLoan = z.infer<typeof GivenLoan>

/** What one loan is brought about with. */
type Deed = {
  readonly sowing: Sowing
  readonly loan: string
  readonly account: string
  readonly as: <Input extends z.ZodType, Values, Answer>(
    actor: Actor,
    command: Command<Input, Values, Answer>,
    input: z.input<Input>,
    at?: Date,
  ) => Promise<Answer>
}

const asIn =
  ({ ports, at: now }: Sowing): Deed['as'] =>
  async (actor, command, input, at = now) => {
    const context: Context = { actor, at, correlation: 'given' }
    const receipt = await execute(ports, command, command.input.parse(input), context)
    if (isRefusal(receipt)) throw new SeedRefused('loans', receipt)
    return receipt.answer
  }

/** Who approves it may not be who writes it off. */
const approver: Actor = { id: 'given', roles: ['manager'] }

const isSavings = ({ account_type }: MoneySeed['accounts'][number]): boolean =>
  account_type === 'member_savings'

/** As the bank picks it: the oldest active savings account, or else any; a new one without any. */
const accountFor = async ({ ask, at }: Sowing, user: string, seed: MoneySeed, refs: Refs) => {
  const active = seed.accounts.filter(({ owner, is_active }) => owner === user && is_active)
  const picked = active.find(isSavings) ?? active[0]
  const account = picked && refs[picked.ref]?.account
  if (account !== undefined) return String(account)
  const customer = String(refs[user]?.user)
  const product = 'member_savings' as const
  const wanted = { ...kept, customer, product, velocity_limits: [] }
  return (await ask(undefined, openDeposit, wanted, at)).account
}

const carryOut = ({ as, loan }: Deed, step: string, at?: Date) =>
  as(SYSTEM, carryOutLoan, { loan, step }, at)

/** The borrower has spent it long since: what his accounts stand at is given beside it. */
const spend = ({ sowing, account }: Deed, amount: string, at: Date) => {
  const lines = [...pairOf(account, openingEquityOf(kept.asset), amount)]
  const entry = { book: kept.book, kind: OPENING_BALANCE, description: 'Given', lines }
  return sowing.ask(undefined, postEntry, entry, at)
}

const payOff = async (deed: Deed, given: GivenLoan) => {
  const { sowing, account, loan, as } = deed
  const { total: amount } = costOf({
    ...given,
    product: given.loan_type,
    rate_basis_points: given.interest_rate,
  })
  await sowing.ask(undefined, bringForward, { book: kept.book, account, amount }, sowing.at)
  const { step } = await as(SYSTEM, repayLoan, { loan, account, amount })
  await carryOut(deed, step)
}

const writeOff = async (deed: Deed) => {
  await deed.as(SYSTEM, writeOffLoan, { loan: deed.loan, reason: 'Given' })
  await carryOut(deed, 'write-off')
}

const agedDays: Partial<Record<GivenLoan['status'], number>> = {
  defaulted: DEFAULTED_DAYS,
  written_off: DEFAULTED_DAYS,
}

const dateOf = ({ at }: Sowing, { status }: GivenLoan): Date =>
  new Date(at.getTime() - (agedDays[status] ?? 0) * 86_400_000)

const payOut = async (deed: Deed, given: GivenLoan, at: Date) => {
  const { as, loan, account } = deed
  await as(approver, approveLoan, { loan, account }, at)
  if (given.status === 'approved') return
  await carryOut(deed, 'disburse', at)
  await spend(deed, given.amount, at)
}

const later: Partial<Record<GivenLoan['status'], (deed: Deed, given: GivenLoan) => unknown>> = {
  paid_off: payOff,
  defaulted: ({ as, loan }) => as(SYSTEM, ageLoan, { loan }),
  written_off: async (deed) => {
    await deed.as(SYSTEM, ageLoan, { loan: deed.loan })
    await writeOff(deed)
  },
}

const provideLoan = async (sowing: Sowing, given: GivenLoan, seed: MoneySeed, refs: Refs) => {
  const { user, amount, interest_rate, term_months, loan_type: product, status } = given
  const borrower = refs[user]?.user
  if (borrower === undefined) throw missing('loans', user)
  const as = asIn(sowing)
  const at = dateOf(sowing, given)
  const filer: Actor = { id: String(borrower), roles: ['customer'] }
  const terms = { product, amount, term_months, rate_basis_points: interest_rate }
  const { loan, number } = await as(filer, requestLoan, { ...kept, ...terms }, at)
  if (status === 'rejected') await as(approver, rejectLoan, { loan, reason: 'Given' })
  if (status === 'rejected' || status === 'pending') return { id: number, loan }
  const account = await accountFor(sowing, user, seed, refs)
  const deed = { sowing, loan, account, as }
  await payOut(deed, given, at)
  await later[status]?.(deed, given)
  return { id: number, loan }
}

/** Brings them about through commands, one after another. Throws SeedRefused. */
export const seedLoans = async (
  sowing: Sowing,
  given: readonly GivenLoan[],
  seed: MoneySeed,
  refs: Refs,
): Promise<Refs> => {
  const seeded: Record<string, Refs[string]> = {}
  for (const one of given) seeded[one.ref] = await provideLoan(sowing, one, seed, refs)
  return seeded
}
