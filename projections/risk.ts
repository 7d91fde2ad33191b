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
    judged_by: 'text',
    wanted: 'text',
    rules: 'jsonb',
    policy: 'integer',
    challengers: 'jsonb',
    booked_at: 'timestamptz',
    scored_at: 'timestamptz',
  },
  key: ['book', 'entry'],
  indexes: [
    ['position'],
    ['model', 'booked_at'],
    ['book', 'account', 'position'],
    { columns: ['position'], where: "decision <> 'approve'" },
    { columns: ['book', 'scored_at'], where: 'rules is not null' },
  ],
}

/** What a score leaves out when it goes without saying. */
const unsaid = { wanted: null, rules: null, policy: null, challengers: null }

export const scoreBook = projection({
  name: 'scores',
  version: 3,
  tables: [scores],
  schemas: riskEvents,
  on: {
    TransactionScored: ({ data: { revision: _revision, by, ...score } }, rows) =>
      rows.put(scores, { ...unsaid, ...score, judged_by: by ?? 'model' }),
  },
})
