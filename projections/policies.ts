import { policyEvents } from '../domain/policies.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const stamp = { set_by: 'text', set_at: 'timestamptz' } as const

const policies: Table = {
  name: 'risk_policies',
  columns: {
    ...{ book: 'text', review_from: 'double precision', block_from: 'double precision' },
    ...{ when_unsure: 'text', brake: 'jsonb', ...stamp },
  },
  key: ['book'],
}

const rules: Table = {
  name: 'risk_rules',
  columns: {
    ...{ book: 'text', rule: 'text', description: 'text', conditions: 'jsonb', outcome: 'text' },
    ...{ mode: 'text', snoozed_until: 'timestamptz', ...stamp },
  },
  key: ['book', 'rule'],
}

const listed: Table = {
  name: 'risk_listed',
  columns: {
    ...{ book: 'text', list: 'text', account: 'text', reason: 'text', until: 'timestamptz' },
    ...stamp,
  },
  key: ['book', 'list', 'account'],
}

/** What each book goes by. Streams have one writer each, so that the last word is the last row. */
export const policyBook = projection({
  name: 'policies',
  version: 1,
  tables: [policies, rules, listed],
  schemas: policyEvents,
  on: {
    RiskPolicySet: ({ data }, rows) => rows.put(policies, data),
    RiskRuleDeclared: ({ data: { book, rule, set_by, set_at } }, rows) => {
      const { name, when: conditions, ...rest } = rule
      const row = { book, rule: name, ...rest, conditions, snoozed_until: null, set_by, set_at }
      rows.put(rules, row)
    },
    RiskRuleSnoozed: ({ data: { book, rule, until: snoozed_until } }, rows) =>
      rows.patch(rules, { book, rule }, { snoozed_until }),
    RiskRuleRetired: ({ data: { book, rule } }, rows) => rows.remove(rules, { book, rule }),
    RiskAccountListed: ({ data }, rows) => rows.put(listed, data),
    RiskAccountUnlisted: ({ data: { book, list, account } }, rows) =>
      rows.remove(listed, { book, list, account }),
  },
})
