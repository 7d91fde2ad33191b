import { z } from '@hono/zod-openapi'
import { declineTransaction } from '../../commands/card_sessions.ts'
import { depositFunds, transferByCard, withdrawCash } from '../../commands/card_transactions.ts'
import type { Receipt } from '../../commands/kernel.ts'
import type { Entry } from '../../domain/ledger/events.ts'
import { MachineId, NOTE_CENTS } from '../../domain/machines.ts'
import { formatDollars } from '../../domain/money.ts'
import { refusals } from '../../domain/refusals.ts'
import { route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { asHolder } from './auth.ts'
import { holderOf } from './dialect.ts'
import { Dollars, Masked, maskCode } from './views.ts'

const tag = 'Transactions'
const headers = ['Idempotency-Key'] as const
const posting = [
  'ACCOUNT_FROZEN',
  'ACCOUNT_CLOSED',
  'INSUFFICIENT_FUNDS',
  'VELOCITY_LIMIT',
  'TRANSFER_DECLINED',
  'IDEMPOTENCY_KEY_REUSED',
] as const

const Cents = z.int().positive()

/** The machine that calls: it says so in a header; where there is only one, it need not. */
const machineOf = ({ request }: Call): string => {
  const given = MachineId.safeParse(request.headers.get('x-machine-id') ?? '1')
  if (!given.success) throw new ProblemError(invalidField('X-Machine-ID', 'is no machine'))
  return given.data
}

/** Moves money, or keeps that it was asked for and refused. */
const move = async (
  call: Call,
  kind: string,
  cents: number,
  work: () => Promise<Receipt<Entry>>,
): Promise<Entry> => {
  try {
    return (await work()).answer
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code in refusals) {
      const { session } = holderOf(call)
      const { code } = error.problem
      const declined = { session, kind, amount: String(cents), code }
      // The key belongs to the transaction, not to the note about it.
      await tell({ ...call, key: undefined }, declineTransaction, declined)
    }
    throw error
  }
}

/** What the account stood at afterwards. */
const balanceAfter = (entry: Entry, account: string): string =>
  formatDollars(entry.lines.findLast((line) => line.account === account)?.balance ?? '0')

const receiptOf = (entry: Entry, account: string, type: string, cents: number) => ({
  reference_number: entry.reference ?? '',
  transaction_type: type,
  amount: formatDollars(BigInt(cents)),
  balance_after: balanceAfter(entry, account),
})

const Receipted = z.object({
  reference_number: z.string(),
  transaction_type: z.string(),
  amount: Dollars,
  balance_after: Dollars,
  message: z.string(),
})

const Withdrawal = z.object({
  amount_cents: Cents.multipleOf(NOTE_CENTS, 'is not a multiple of $20'),
})

const withdraw = async (call: Call<z.infer<typeof Withdrawal>>) => {
  const { amount_cents } = call.input
  const { book, account } = holderOf(call)
  const machine = machineOf(call)
  const entry = await move(call, 'withdrawal', amount_cents, () =>
    tell(call, withdrawCash, { book, account, machine, amount: String(amount_cents) }),
  )
  const receipt = receiptOf(entry, account, 'WITHDRAWAL', amount_cents)
  const bills = amount_cents / NOTE_CENTS
  return {
    body: {
      ...receipt,
      message: `Withdrawal of ${receipt.amount} completed successfully`,
      denominations: { twenties: bills, total_bills: bills, total_amount: receipt.amount },
    },
  }
}

const Deposit = z
  .object({
    amount_cents: Cents,
    deposit_type: z.enum(['cash', 'check']),
    check_number: z.string().trim().min(1).max(20).nullish(),
  })
  .refine(({ deposit_type, check_number }) => deposit_type === 'cash' || check_number, {
    path: ['check_number'],
    message: 'is required for a check',
  })

const deposit = async (call: Call<z.infer<typeof Deposit>>) => {
  const { amount_cents, deposit_type: kind, check_number } = call.input
  const { book, account } = holderOf(call)
  const machine = machineOf(call)
  const amount = String(amount_cents)
  const check = kind === 'check' && check_number ? { check_number } : {}
  const entry = await move(call, `deposit_${kind}`, amount_cents, () =>
    tell(call, depositFunds, { book, account, machine, amount, kind, ...check }),
  )
  const holds = entry.holds ?? []
  const held = holds.reduce((sum, hold) => sum + BigInt(hold.amount), 0n)
  const until = holds
    .map(({ expires_at }) => expires_at ?? '')
    .sort()
    .at(-1)
  const receipt = receiptOf(entry, account, `DEPOSIT_${kind.toUpperCase()}`, amount_cents)
  return {
    body: {
      ...receipt,
      message: `${kind === 'cash' ? 'Cash' : 'Check'} deposit of ${receipt.amount} accepted`,
      available_immediately: formatDollars(BigInt(amount_cents) - held),
      held_amount: formatDollars(held),
      hold_until: until === undefined ? null : instant(until),
    },
  }
}

const Transfer = z.object({
  destination_account_number: z.string().min(1).max(20),
  amount_cents: Cents,
})

const transfer = async (call: Call<z.infer<typeof Transfer>>) => {
  const { destination_account_number: to_number, amount_cents } = call.input
  const { book, account } = holderOf(call)
  const entry = await move(call, 'transfer', amount_cents, () =>
    tell(call, transferByCard, { book, account, to_number, amount: String(amount_cents) }),
  )
  const receipt = receiptOf(entry, account, 'TRANSFER_OUT', amount_cents)
  return {
    body: {
      ...receipt,
      message: `Transfer of ${receipt.amount} completed successfully`,
      source_account: maskCode(account),
      destination_account: maskCode(entry.metadata?.to ?? account),
    },
  }
}

export const transactionRoutes: readonly Route[] = [
  route('post', '/api/v1/transactions/deposit', 'cards:use', {
    tag,
    summary: 'Deposit cash or a check',
    description:
      'Cash: the first $200 is free at once, the rest the next business day. Checks: the first ' +
      '$200 the next business day, the rest after two.',
    status: 201,
    headers,
    input: Deposit,
    response: Receipted.extend({
      available_immediately: Dollars,
      held_amount: Dollars,
      hold_until: z.string().nullable(),
    }),
    problems: posting,
    example: { ...asHolder, body: { amount_cents: 50_000, deposit_type: 'cash' } },
    furtherExamples: [
      {
        ...asHolder,
        body: { amount_cents: 12_345, deposit_type: 'check', check_number: '9876' },
      },
    ],
    run: deposit,
  }),
  route('post', '/api/v1/transactions/withdraw', 'cards:use', {
    tag,
    summary: 'Withdraw cash',
    description: 'A multiple of $20, at most $500 a day.',
    status: 201,
    headers,
    input: Withdrawal,
    response: Receipted.extend({
      denominations: z.object({
        twenties: z.int(),
        total_bills: z.int(),
        total_amount: Dollars,
      }),
    }),
    problems: posting,
    example: { ...asHolder, body: { amount_cents: 10_000 } },
    run: withdraw,
  }),
  route('post', '/api/v1/transactions/transfer', 'cards:use', {
    tag,
    summary: 'Transfer to an account of this bank',
    description: "To one's own or somebody else's, credited at once; at most $2,500 a day.",
    status: 201,
    headers,
    input: Transfer,
    response: Receipted.extend({ source_account: Masked, destination_account: Masked }),
    problems: [...posting, 'SAME_ACCOUNT', 'TARGET_UNAVAILABLE', 'ACCOUNT_NOT_FOUND'],
    example: {
      ...asHolder,
      body: { destination_account_number: '1000-0001-0002', amount_cents: 2500 },
    },
    run: transfer,
  }),
]
