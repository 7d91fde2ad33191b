import { closureEvents } from '../domain/closures.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const closures: Table = {
  name: 'closures',
  columns: {
    closure: 'text',
    number: 'bigint',
    book: 'text',
    account: 'text',
    owner: 'text',
    reason: 'text',
    remarks: 'text',
    otp_verified: 'boolean',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    rejection: 'text',
    failure: 'text',
    final_balance: 'numeric',
    changed_at: 'timestamptz',
  },
  key: ['closure'],
  indexes: [
    ['number'],
    ['book', 'account', 'number'],
    { columns: ['number'], where: "status = 'accepted'" },
  ],
}

const undecided = { decided_by: null, decided_at: null, failure: null }

export const closureBook = projection({
  name: 'closures',
  version: 1,
  tables: [closures],
  schemas: closureEvents,
  on: {
    ClosureRequested: ({ data }, rows) =>
      rows.put(closures, {
        ...{ ...data, ...undecided, status: 'pending', rejection: '', final_balance: null },
        changed_at: data.requested_at,
      }),
    ClosureApproved: ({ data: { closure, approved_by, approved_at } }, rows) =>
      rows.patch(
        closures,
        { closure },
        {
          ...{ status: 'accepted', failure: null, decided_by: approved_by },
          ...{ decided_at: approved_at, changed_at: approved_at },
        },
      ),
    ClosureCompleted: ({ data: { closure, final_balance, completed_at } }, rows) =>
      rows.patch(
        closures,
        { closure },
        { status: 'approved', final_balance, changed_at: completed_at },
      ),
    ClosureReturned: ({ data: { closure, code, returned_at } }, rows) =>
      rows.patch(
        closures,
        { closure },
        { ...undecided, status: 'pending', failure: code, changed_at: returned_at },
      ),
    ClosureRejected: ({ data: { closure, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        closures,
        { closure },
        {
          ...{ status: 'rejected', rejection: reason, decided_by: rejected_by },
          ...{ decided_at: rejected_at, changed_at: rejected_at },
        },
      ),
  },
})
