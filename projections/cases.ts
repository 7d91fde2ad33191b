import { caseEvents } from '../domain/cases.ts'
import { projection } from './kernel.ts'
import type { Row, Writer } from './rows.ts'
import type { Table } from './table.ts'

const cases: Table = {
  name: 'cases',
  columns: {
    id: 'text',
    book: 'text',
    entry: 'text',
    account: 'text',
    counterparty: 'text',
    amount: 'numeric',
    asset: 'text',
    booked_at: 'timestamptz',
    terminal: 'text',
    device: 'text',
    probability: 'double precision',
    decision: 'text',
    status: 'text',
    assignee: 'text',
    verdict: 'text',
    reason: 'text',
    proposed_by: 'text',
    decided_by: 'text',
    confirmed_by: 'text',
    opened_by: 'text',
    opened_at: 'timestamptz',
    decided_at: 'timestamptz',
    revision: 'bigint',
  },
  key: ['id'],
  indexes: [
    ['opened_at', 'id'],
    ['book', 'opened_at', 'id'],
    { columns: ['assignee', 'opened_at', 'id'], where: "status <> 'decided'" },
  ],
}

/** What happened in a case, event by event. `what` is the event's type. */
const timeline: Table = {
  name: 'case_timeline',
  columns: {
    id: 'text',
    revision: 'bigint',
    what: 'text',
    by_whom: 'text',
    happened_at: 'timestamptz',
    verdict: 'text',
    assignee: 'text',
    remark: 'text',
  },
  key: ['id', 'revision'],
}

type Happened = {
  readonly type: string
  readonly revision: number
  readonly data: { case: string }
}

const note = (
  { type, revision, data }: Happened,
  rows: Writer,
  happened: { readonly by_whom: string; readonly happened_at: string } & Row,
): void =>
  rows.put(timeline, {
    ...{ id: data.case, revision, what: type },
    ...{ verdict: null, assignee: null, remark: null },
    ...happened,
  })

const unproposed = { verdict: null, reason: null, proposed_by: null }
const undecided = { ...unproposed, decided_by: null, confirmed_by: null, decided_at: null }

export const caseBook = projection({
  name: 'cases',
  version: 1,
  tables: [cases, timeline],
  schemas: caseEvents,
  on: {
    CaseOpened: (event, rows) => {
      const { revision } = event
      const { case: id, ...opened } = event.data
      const blank = { terminal: null, device: null, assignee: null, ...undecided }
      rows.put(cases, { ...blank, ...opened, id, status: 'open', revision })
      note(event, rows, { by_whom: opened.opened_by, happened_at: opened.opened_at })
    },
    CaseAssigned: (event, rows) => {
      const { case: id, assignee, assigned_by, assigned_at } = event.data
      rows.patch(cases, { id }, { assignee, revision: event.revision })
      note(event, rows, { by_whom: assigned_by, happened_at: assigned_at, assignee })
    },
    CaseCommented: (event, rows) => {
      const { case: id, comment: remark, commented_by, commented_at } = event.data
      rows.patch(cases, { id }, { revision: event.revision })
      note(event, rows, { by_whom: commented_by, happened_at: commented_at, remark })
    },
    CaseDecisionProposed: (event, rows) => {
      const { case: id, proposed_at, ...proposed } = event.data
      const { verdict, reason: remark, proposed_by: by_whom } = proposed
      rows.patch(cases, { id }, { ...proposed, status: 'proposed', revision: event.revision })
      note(event, rows, { by_whom, happened_at: proposed_at, verdict, remark })
    },
    CaseDecisionConfirmed: (event, rows) => {
      const { case: id, confirmed_by, confirmed_at } = event.data
      rows.patch(cases, { id }, { revision: event.revision })
      note(event, rows, { by_whom: confirmed_by, happened_at: confirmed_at })
    },
    CaseDecisionRejected: (event, rows) => {
      const { case: id, reason: remark, rejected_by, rejected_at } = event.data
      rows.patch(cases, { id }, { ...unproposed, status: 'open', revision: event.revision })
      note(event, rows, { by_whom: rejected_by, happened_at: rejected_at, remark })
    },
    CaseDecided: (event, rows) => {
      const { case: id, round: _round, ...decided } = event.data
      const { verdict, reason: remark, decided_by: by_whom, decided_at } = decided
      const patched = { ...decided, proposed_by: null, status: 'decided' }
      rows.patch(cases, { id }, { ...patched, revision: event.revision })
      note(event, rows, { by_whom, happened_at: decided_at, verdict, remark })
    },
    CaseReopened: (event, rows) => {
      const { case: id, reason: remark, reopened_by, reopened_at } = event.data
      rows.patch(cases, { id }, { ...undecided, status: 'open', revision: event.revision })
      note(event, rows, { by_whom: reopened_by, happened_at: reopened_at, remark })
    },
  },
})
