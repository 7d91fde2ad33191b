import { paymentEvents } from '../domain/payments.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const payments: Table = {
  name: 'payments',
  columns: {
    payment: 'text',
    number: 'bigint',
    reference: 'text',
    book: 'text',
    kind: 'text',
    channel: 'text',
    from_account: 'text',
    to_account: 'text',
    from_owner: 'text',
    to_owner: 'text',
    amount: 'numeric',
    asset: 'text',
    description: 'text',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    reason: 'text',
    failure: 'text',
    settled_at: 'timestamptz',
  },
  key: ['payment'],
  indexes: [
    ['number'],
    ['from_owner', 'number'],
    ['to_owner', 'number'],
    ['book', 'status', 'number'],
    ['book', 'requested_at', 'number'],
    { columns: ['number'], where: "status = 'accepted'" },
  ],
}

const undecided = { decided_by: null, decided_at: null, reason: null }
const unsettled = { failure: null, settled_at: null }

export const paymentBook = projection({
  name: 'payments',
  version: 1,
  tables: [payments],
  schemas: paymentEvents,
  on: {
    PaymentRequested: ({ data }, rows) => {
      const { from, to, approval, screening: _screening, collector: _collector, ...request } = data
      rows.put(payments, {
        ...{ ...request, ...undecided, ...unsettled, from_account: from, to_account: to },
        status: approval === 'needed' ? 'pending' : 'accepted',
      })
    },
    PaymentApproved: ({ data: { payment, approved_by, approved_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'accepted', decided_by: approved_by, decided_at: approved_at },
      ),
    PaymentRejected: ({ data: { payment, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'cancelled', reason, decided_by: rejected_by, decided_at: rejected_at },
      ),
    PaymentCompleted: ({ data: { payment, completed_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'completed', failure: null, settled_at: completed_at },
      ),
    PaymentFailed: ({ data: { payment, code, failed_at } }, rows) =>
      rows.patch(payments, { payment }, { status: 'failed', failure: code, settled_at: failed_at }),
  },
})
