import { riskEvents } from '../domain/risk.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const scores: Table = {
  name: 'scores',
  columns: {
    book: 'text',
    entry: 'text',
    account: 'text',
    counterparty: 'text',
    kind: 'text',
    amount: 'numeric',
    asset: 'text',
    model: 'text',
    features: 'jsonb',
    probability: 'double precision',
    decision: 'text',
    reasons: 'jsonb',
    booked_at: 'timestamptz',
    scored_at: 'timestamptz',
  },
  key: ['book', 'entry'],
  indexes: [
    ['position'],
    ['book', 'account', 'position'],
    { columns: ['position'], where: "decision <> 'approve'" },
  ],
}

export const scoreBook = projection({
  name: 'scores',
  version: 1,
  tables: [scores],
  schemas: riskEvents,
  on: {
    TransactionScored: ({ data: { revision: _revision, ...score } }, rows) =>
      rows.put(scores, score),
  },
})
