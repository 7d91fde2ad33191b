import type { ControlTotals } from '../../domain/exports.ts'
import type { AccountType, Entry, Line } from '../../domain/ledger/events.ts'
import { growsBy } from '../../domain/ledger/state.ts'
import { formatAmount } from '../../domain/money.ts'
import type { Decimal, ExportRow } from './rows.ts'

/** An account over a period. `opening` is on its own normal side; the sides are plain sums. */
type Movement = {
  readonly account: string
  readonly name: string
  readonly type: AccountType
  readonly asset: string
  opening: bigint
  debit: bigint
  credit: bigint
}

/** What the period did to each account of a book; memory grows with the accounts only. */
export type Period = {
  readonly from: string
  readonly to: string
  readonly accounts: Map<string, Movement>
}

export const openAccountIn = (
  { accounts }: Period,
  opened: Pick<Movement, 'account' | 'name' | 'type' | 'asset'>,
): void => {
  const { account, name, type, asset } = opened
  accounts.set(account, { account, name, type, asset, opening: 0n, debit: 0n, credit: 0n })
}

const movementOf = ({ accounts }: Period, code: string): Movement => {
  const movement = accounts.get(code)
  if (!movement) throw new Error(`the log names account ${code}, which does not exist`)
  return movement
}

const netOf = ({ type, debit, credit }: Movement): bigint =>
  growsBy(type) === 'debit' ? debit - credit : credit - debit

/** Counts an entry's lines by its value date. Answers whether it belongs to the period. */
export const countEntry = (period: Period, { lines, value_date }: Entry): boolean => {
  if (value_date > period.to) return false
  const isBefore = value_date < period.from
  for (const { account, direction, amount } of lines) {
    const movement = movementOf(period, account)
    const size = BigInt(amount)
    if (!isBefore) movement[direction] += size
    else movement.opening += direction === growsBy(movement.type) ? size : -size
  }
  return !isBefore
}

const decimal = (minor: bigint | string, asset: string): Decimal => ({
  decimal: formatAmount(minor.toString(), asset),
})

export const journalColumns = [
  'position',
  'revision',
  'line',
  'entry',
  'kind',
  'booked_at',
  'value_date',
  'account',
  'account_type',
  'direction',
  'asset',
  'amount_minor',
  'amount',
  'balance_minor',
  'balance',
  'description',
  'reference',
  'reverses',
] as const

/** `line` counts the lines of one event, which may hold many entries. */
export const journalRow = (
  period: Period,
  at: { readonly position: bigint; readonly revision: number; readonly line: number },
  entry: Entry,
  { account, direction, asset, amount, balance }: Line,
): ExportRow => {
  const { id, kind, booked_at, value_date, description, reference, reverses } = entry
  return {
    ...at,
    ...{ entry: id, kind, booked_at, value_date, account, direction, asset, description },
    account_type: movementOf(period, account).type,
    amount_minor: BigInt(amount),
    amount: decimal(amount, asset),
    balance_minor: BigInt(balance),
    balance: decimal(balance, asset),
    reference: reference ?? null,
    reverses: reverses ?? null,
  }
}

export const trialBalanceColumns = [
  'account',
  'name',
  'type',
  'asset',
  'opening_minor',
  'opening',
  'debit_minor',
  'debit',
  'credit_minor',
  'credit',
  'closing_minor',
  'closing',
] as const

const byCode = (left: Movement, right: Movement): number => (left.account < right.account ? -1 : 1)

/** Every account, in the order of codes; opening and closing on its own normal side. */
export function* trialBalanceRows({ accounts }: Period): Generator<ExportRow> {
  for (const movement of [...accounts.values()].sort(byCode)) {
    const { account, name, type, asset, opening, debit, credit } = movement
    const closing = opening + netOf(movement)
    yield {
      ...{ account, name, type, asset },
      opening_minor: opening,
      opening: decimal(opening, asset),
      debit_minor: debit,
      debit: decimal(debit, asset),
      credit_minor: credit,
      credit: decimal(credit, asset),
      closing_minor: closing,
      closing: decimal(closing, asset),
    }
  }
}

type Sides = { debit: bigint; credit: bigint }

/** Adds a balance to the side on which it stands. */
const addBalance = (sides: Sides, type: AccountType, balance: bigint): void => {
  const isDebit = (growsBy(type) === 'debit') === balance >= 0n
  const size = balance < 0n ? -balance : balance
  sides[isDebit ? 'debit' : 'credit'] += size
}

const asText = ({ debit, credit }: Sides) => ({
  debit: debit.toString(),
  credit: credit.toString(),
})

const assertEqual = (asset: string, what: string, { debit, credit }: Sides): void => {
  if (debit !== credit) throw new Error(`${what} of ${asset}: debits ${debit}, credits ${credit}`)
}

/** The totals of each asset. Throws when debits and credits differ: then the log is damaged. */
export const controlTotals = ({ accounts }: Period): ControlTotals[] => {
  const byAsset = Map.groupBy(accounts.values(), ({ asset }) => asset)
  const assets = [...byAsset].sort(([left], [right]) => (left < right ? -1 : 1))
  return assets.map(([asset, movements]) => {
    const opening: Sides = { debit: 0n, credit: 0n }
    const moved: Sides = { debit: 0n, credit: 0n }
    const closing: Sides = { debit: 0n, credit: 0n }
    for (const movement of movements) {
      addBalance(opening, movement.type, movement.opening)
      addBalance(closing, movement.type, movement.opening + netOf(movement))
      moved.debit += movement.debit
      moved.credit += movement.credit
    }
    assertEqual(asset, 'the opening balances', opening)
    assertEqual(asset, 'the movements', moved)
    assertEqual(asset, 'the closing balances', closing)
    return { asset, opening: asText(opening), movements: asText(moved), closing: asText(closing) }
  })
}
