import { z } from 'zod'
import { Commission, CommissionPayout } from '../domain/commissions.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { paymentEvents } from '../domain/payments.ts'
import { type Asker, projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Table } from './table.ts'

/** Of every payment that a mobile banker collected; due: booked, and its commission is not. */
const commissions: Table = {
  name: 'commissions',
  columns: {
    payment: 'text',
    agent: 'text',
    book: 'text',
    asset: 'text',
    collected: 'numeric',
    permille: 'integer',
    amount: 'numeric',
    status: 'text',
    earned_at: 'timestamptz',
  },
  key: ['payment'],
  indexes: [['agent', 'payment'], { columns: ['payment'], where: "status = 'due'" }],
}

const payouts: Table = {
  name: 'commission_payouts',
  columns: {
    payout: 'text',
    agent: 'text',
    book: 'text',
    asset: 'text',
    account: 'text',
    amount: 'numeric',
    status: 'text',
    failure: 'text',
    ordered_by: 'text',
    ordered_at: 'timestamptz',
    settled_at: 'timestamptz',
  },
  key: ['payout'],
  indexes: [['agent', 'payout'], { columns: ['payout'], where: "status = 'ordered'" }],
}

export const commissionBook = projection({
  name: 'commissions',
  version: 1,
  tables: [commissions, payouts],
  schemas: { ...paymentEvents, ...Commission.schemas, ...CommissionPayout.schemas },
  on: {
    PaymentRequested: ({ data }, rows) => {
      const { payment, collector, book, asset, amount: collected } = data
      if (collector === undefined) return
      rows.put(commissions, {
        ...{ payment, agent: collector, book, asset, collected, status: 'collected' },
        ...{ permille: null, amount: null, earned_at: null },
      })
    },
    PaymentCompleted: ({ data: { payment } }, rows) =>
      rows.patch(commissions, { payment }, { status: 'due' }),
    CommissionEarned: ({ data }, rows) => rows.put(commissions, { ...data, status: 'earned' }),
    CommissionPayoutOrdered: ({ data }, rows) =>
      rows.put(payouts, { ...data, status: 'ordered', failure: null, settled_at: null }),
    CommissionPaidOut: ({ data: { payout, paid_at } }, rows) =>
      rows.patch(payouts, { payout }, { status: 'paid', failure: null, settled_at: paid_at }),
    CommissionPayoutFailed: ({ data: { payout, code, failed_at } }, rows) =>
      rows.patch(payouts, { payout }, { status: 'failed', failure: code, settled_at: failed_at }),
  },
})

export type CommissionView = {
  payment: string
  agent: string
  book: string
  asset: string
  collected: string
  permille: number
  amount: string
  earned_at: Date
}

/** An agent has his own. */
const onlyOwn = (where: Conditions, { reach, id }: Asker): void => {
  if (reach !== 'all') where.add('agent = ?', id)
}

const Listing = z.strictObject({ agent: Identifier.optional(), ...paging })

/** Those that were earned, the newest first. */
export const listCommissions = query({
  name: 'commissions.list',
  permission: 'commissions:read',
  input: Listing,
  reads: ['commissions'],
  run: async (sql, { agent, cursor, limit }, asker) => {
    const where = conditions()
    where.add(`status = 'earned'`)
    where.addIf('agent = ?', agent)
    onlyOwn(where, asker)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('payment < ?', ...after)
    const { rows } = await sql.query<CommissionView>(
      `select payment, agent, book, asset, collected, permille, amount, earned_at
       from commissions${where.where()} order by payment desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ payment }) => [payment])
  },
})

export type PayoutView = {
  payout: string
  agent: string
  book: string
  asset: string
  account: string
  amount: string
  status: 'ordered' | 'paid' | 'failed'
  /** The code of the refusal that it failed with. */
  failure: string | null
  ordered_by: string
  ordered_at: Date
  settled_at: Date | null
}

/** Newest first. */
export const listPayouts = query({
  name: 'commissions.payouts',
  permission: 'commissions:read',
  input: Listing,
  reads: ['commissions'],
  run: async (sql, { agent, cursor, limit }, asker) => {
    const where = conditions()
    where.addIf('agent = ?', agent)
    onlyOwn(where, asker)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('payout < ?', ...after)
    const { rows } = await sql.query<PayoutView>(
      `select payout, agent, book, asset, account, amount, status, failure, ordered_by, ordered_at,
         settled_at
       from commission_payouts${where.where()} order by payout desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ payout }) => [payout])
  },
})
