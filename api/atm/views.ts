import { z } from '@hono/zod-openapi'
import { accountNumberOf, maskAccountNumber } from '../../domain/deposits.ts'
import { formatDollars } from '../../domain/money.ts'
import { describeMovement } from '../../domain/movements.ts'
import type { DepositView, MovementView } from '../../projections/deposits.ts'
import { instant } from '../formats.ts'

const Dollars = z.string().openapi({ example: '$5,250.00' })
const Masked = z.string().openapi({ example: 'XXXX-XXXX-0001' })

export const AccountSummary = z
  .object({
    id: z.int(),
    account_number: Masked,
    account_type: z.enum(['CHECKING', 'SAVINGS']),
    balance: Dollars,
    available_balance: Dollars,
    status: z.enum(['ACTIVE', 'FROZEN', 'CLOSED']),
  })
  .openapi('AccountSummary')

export const MiniStatementEntry = z
  .object({
    date: z.string(),
    description: z.string(),
    amount: Dollars,
    balance_after: Dollars,
  })
  .openapi('MiniStatementEntry')

export const maskCode = (account: string): string => maskAccountNumber(accountNumberOf(account))

export const summaryOf = (deposit: DepositView) => ({
  id: deposit.id,
  account_number: maskAccountNumber(deposit.account_number),
  account_type: deposit.product.toUpperCase(),
  balance: formatDollars(deposit.balance),
  available_balance: formatDollars(deposit.available),
  status: deposit.status.toUpperCase(),
})

export const miniEntryOf = (movement: MovementView) => ({
  date: instant(movement.booked_at),
  description: describeMovement(movement),
  amount: `${movement.direction === 'debit' ? '-' : '+'}${formatDollars(movement.amount)}`,
  balance_after: formatDollars(movement.balance),
})

export { Dollars, Masked }
