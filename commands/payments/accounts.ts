import { z } from 'zod'
import { BookId } from '../../domain/ledger/events.ts'
import { Asset } from '../../domain/money.ts'
import { paymentAccounts } from '../../domain/payments.ts'
import { openingEquity, openMissing, type Wanted } from '../chart.ts'
import { bookCommand } from '../ledger/kernel.ts'

/** What the bank itself has for payments in an asset. */
export const paymentChart = (asset: string): readonly Wanted[] => {
  const { counter, clearing, repayments, fees } = paymentAccounts(asset)
  // What is on its way may be owed either way, and a drawer is settled at the end of its day.
  const own = { type: 'asset', overdraft_limit: 'unlimited' } as const
  return [
    { ...own, account: counter, name: 'Cash at the counters' },
    { ...own, account: clearing, name: 'Payments on their way' },
    { ...own, account: repayments, name: 'Repayments on their way' },
    { ...own, type: 'income', account: fees, name: 'Fees' },
    openingEquity(asset),
  ]
}

/** Opens the bank's own side of payments in an asset that the book keeps; once. */
export const openPaymentAccounts = bookCommand({
  name: 'payments.open_accounts',
  permission: 'books:open',
  input: z.strictObject({ book: BookId, asset: Asset }),
  enrich: ({ asset }, { at }) => ({ wanted: paymentChart(asset), asset, at }),
  decide: openMissing,
  answer: (_events, { book, asset }) => ({ book, asset, ...paymentAccounts(asset) }),
})
