import { churnEvents } from '../../domain/churn.ts'
import { projection } from '../kernel.ts'
import type { Table } from '../table.ts'

/** Who the customer is lies in `customers`, sealed. Score and model are those of the newest score. */
const churnCustomers: Table = {
  name: 'churn_customers',
  columns: {
    customer: 'text',
    number: 'bigint',
    profile: 'jsonb',
    changed_at: 'timestamptz',
    probability: 'double precision',
    model: 'text',
    scored_at: 'timestamptz',
    churned: 'boolean',
  },
  key: ['customer'],
  indexes: [['number'], ['probability', 'number']],
}

/** `revision` of the customer's stream: several scores may be of one moment. */
const churnScores: Table = {
  name: 'churn_scores',
  columns: {
    customer: 'text',
    revision: 'bigint',
    model: 'text',
    probability: 'double precision',
    features: 'jsonb',
    reasons: 'jsonb',
    scored_at: 'timestamptz',
  },
  key: ['customer', 'revision'],
  indexes: [['scored_at']],
}

const churnAlerts: Table = {
  name: 'churn_alerts',
  columns: {
    alert: 'bigint',
    customer: 'text',
    number: 'bigint',
    alert_type: 'text',
    message: 'text',
    raised_at: 'timestamptz',
    /** Null while it is not known. */
    was_sent: 'boolean',
    error: 'text',
  },
  key: ['alert'],
  indexes: [['customer', 'alert'], { columns: ['alert'], where: 'was_sent is null' }],
}

const unscored = { probability: null, model: null, scored_at: null, churned: null }

export const churnBook = projection({
  name: 'churn',
  version: 1,
  tables: [churnCustomers, churnScores, churnAlerts],
  schemas: churnEvents,
  on: {
    ChurnProfileRecorded: ({ data, revision }, rows) => {
      const { customer, number, profile, recorded_at } = data
      const known = { number, profile, changed_at: recorded_at }
      // What was recorded first makes the row; later ones leave the scores as they are.
      if (revision === 0) rows.put(churnCustomers, { customer, ...unscored, ...known })
      else rows.patch(churnCustomers, { customer }, known)
    },
    ChurnScored: ({ data, revision }, rows) => {
      const { customer, model, probability, scored_at, features, reasons } = data
      rows.patch(churnCustomers, { customer }, { model, probability, scored_at })
      const score = { model, probability, features, reasons, scored_at }
      rows.put(churnScores, { customer, revision, ...score })
    },
    ChurnOutcomeRecorded: ({ data: { customer, churned } }, rows) =>
      rows.patch(churnCustomers, { customer }, { churned }),
    ChurnAlertRaised: ({ data }, rows) =>
      rows.put(churnAlerts, { ...data, was_sent: null, error: null }),
    ChurnAlertSent: ({ data: { alert } }, rows) =>
      rows.patch(churnAlerts, { alert }, { was_sent: true }),
    ChurnAlertNotSent: ({ data: { alert, error } }, rows) =>
      rows.patch(churnAlerts, { alert }, { was_sent: false, error }),
    ChurnCustomerRemoved: ({ data: { customer } }, rows) =>
      rows.remove(churnCustomers, { customer }),
  },
})
