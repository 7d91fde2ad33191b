import { z } from '@hono/zod-openapi'
import {
  assignCase,
  commentOnCase,
  confirmDecision,
  decideCase,
  openCase,
  rejectDecision,
  reopenCase,
} from '../../commands/cases.ts'
import { labelTransaction } from '../../commands/labels.ts'
import { getCase, listCases } from '../../projections/cases_queries.ts'
import { listLabels } from '../../projections/labels.ts'
import { type Route, read, write } from '../route.ts'
import { pageOf } from './views.ts'

const tag = 'Risk'
const Timestamp = z.iso.datetime({ precision: 3 })
const Verdict = z.enum(['fraud', 'legitimate'])
const Minor = z.string().openapi({ description: 'minor units', example: '2500' })

const Movement = {
  book: z.string(),
  entry: z.string(),
  account: z.string(),
  counterparty: z.string(),
  amount: Minor,
  asset: z.string(),
  booked_at: Timestamp,
}
const Judged = {
  probability: z.number(),
  decision: z.enum(['approve', 'review', 'block']),
}
const Opened = z.object({
  case: z.string(),
  ...Movement,
  terminal: z.string().optional(),
  device: z.string().optional(),
  ...Judged,
  opened_by: z.string(),
  opened_at: Timestamp,
})

const Case = z
  .object({
    case: z.string(),
    ...Movement,
    terminal: z.string().nullable(),
    device: z.string().nullable(),
    ...Judged,
    status: z.enum(['open', 'proposed', 'decided']),
    assignee: z.string().nullable(),
    verdict: Verdict.nullable().openapi({ description: 'proposed or decided' }),
    reason: z.string().nullable(),
    proposed_by: z.string().nullable(),
    decided_by: z.string().nullable(),
    confirmed_by: z.string().nullable(),
    opened_by: z.string(),
    opened_at: Timestamp,
    decided_at: Timestamp.nullable(),
    revision: z.int(),
  })
  .openapi('Case')

const Moment = z
  .object({
    revision: z.int(),
    what: z.string().openapi({ description: 'the type of the event', example: 'CaseAssigned' }),
    by: z.string(),
    at: Timestamp,
    verdict: Verdict.nullable(),
    assignee: z.string().nullable(),
    remark: z.string().nullable().openapi({ description: 'a comment, or the reason' }),
  })
  .openapi('CaseMoment')

const Comment = z.object({
  case: z.string(),
  comment: z.string(),
  commented_by: z.string(),
  commented_at: Timestamp,
})

const Label = z
  .object({
    ...Movement,
    terminal: z.string().nullable(),
    device: z.string().nullable(),
    fraud: z.boolean(),
    source: z.enum(['analyst', 'chargeback', 'customer', 'correction']),
    note: z.string(),
    case: z.string().nullable(),
    labelled_at: Timestamp,
  })
  .openapi('Label')

const one = { case: '{case}' }
const other = { case: '{other_case}' }
const working = ['CASE_NOT_FOUND', 'CASE_CLOSED', 'REVISION_MISMATCH'] as const
const inTheClear =
  'What is written lies in the log in the clear and for good: name accounts and entries, no persons.'

export const caseRoutes: readonly Route[] = [
  write('post', '/v1/risk/cases', openCase, {
    tag,
    summary: 'Open a case of a scored entry',
    description: 'Each entry has one case at most; the refusal names it.',
    response: Opened,
    problems: ['SCORE_NOT_FOUND', 'CASE_EXISTS'],
    location: ({ case: id }) => `/v1/risk/cases/${id}`,
    example: { body: { book: 'example', entry: '{scored}' }, capture: { case: 'case' } },
    furtherExamples: [
      { body: { book: 'example', entry: '{scored_too}' }, capture: { other_case: 'case' } },
    ],
  }),
  read('/v1/risk/cases', listCases, {
    tag,
    summary: 'List cases, newest first',
    response: pageOf(Case, 'Case'),
    problems: ['BAD_CURSOR'],
    example: { query: { book: 'example', status: 'open', limit: '5' } },
  }),
  write('post', '/v1/risk/cases/{case}/assign', assignCase, {
    tag,
    summary: 'Give a case to somebody, or to nobody',
    status: 200,
    response: z.object({ case: z.string(), assignee: z.string().nullable() }),
    problems: [...working, 'USER_NOT_FOUND', 'USER_DISABLED', 'CASE_ASSIGNEE_UNSUITABLE'],
    example: { params: one, body: { assignee: '{own_user}' } },
  }),
  write('post', '/v1/risk/cases/{case}/comments', commentOnCase, {
    tag,
    summary: 'Comment on a case',
    description: inTheClear,
    response: Comment,
    problems: working,
    example: { params: one, body: { comment: 'The same terminal as yesterday.' } },
  }),
  write('post', '/v1/risk/cases/{case}/decision', decideCase, {
    tag,
    summary: 'Decide a case, or propose how to',
    description:
      'Above 100000 minor units, and with `propose`, the decision waits for a second person. A ' +
      `decided case labels its entry. ${inTheClear}`,
    status: 200,
    response: z.object({
      case: z.string(),
      verdict: Verdict,
      status: z.enum(['proposed', 'decided']),
    }),
    problems: [...working, 'CASE_DECISION_PENDING'],
    example: {
      params: one,
      body: { verdict: 'fraud', reason: 'Paid at a skimmed terminal', propose: true },
    },
    furtherExamples: [
      { params: other, body: { verdict: 'fraud', reason: 'Looks alike', propose: true } },
    ],
  }),
  write('post', '/v1/risk/cases/{case}/decision/confirm', confirmDecision, {
    tag,
    summary: 'Confirm what another person proposed',
    description: 'The verdict says what was read: another may be proposed by now.',
    status: 200,
    response: z.object({ case: z.string(), verdict: Verdict, status: z.literal('decided') }),
    problems: [...working, 'CASE_DECISION_NOT_PENDING', 'NOT_PERMITTED'],
    example: { params: one, body: { verdict: 'fraud' }, by: 'another' },
  }),
  write('post', '/v1/risk/cases/{case}/decision/reject', rejectDecision, {
    tag,
    summary: 'Reject what is proposed, or take it back',
    description: inTheClear,
    status: 200,
    response: z.object({ case: z.string(), status: z.literal('open') }),
    problems: [...working, 'CASE_DECISION_NOT_PENDING'],
    example: { params: other, body: { reason: 'The holder made it himself' } },
  }),
  write('post', '/v1/risk/cases/{case}/reopen', reopenCase, {
    tag,
    summary: 'Reopen a decided case',
    description: `Its label stays until the next decision, or a correction. ${inTheClear}`,
    status: 200,
    response: z.object({ case: z.string(), status: z.literal('open') }),
    problems: ['CASE_NOT_FOUND', 'CASE_NOT_CLOSED', 'REVISION_MISMATCH'],
    example: { params: one, body: { reason: 'The terminal was another' } },
  }),
  read('/v1/risk/cases/{case}', getCase, {
    tag,
    summary: 'Show a case with what happened in it',
    response: Case.extend({ timeline: z.array(Moment) }).openapi('CaseWithTimeline'),
    problems: ['RESOURCE_NOT_FOUND'],
    etag: ({ revision }) => revision,
    example: { params: one },
  }),
  write('post', '/v1/risk/labels', labelTransaction, {
    tag,
    summary: 'Label a scored entry: fraud or not',
    description: `Saying the same again changes nothing; a later label holds. ${inTheClear}`,
    response: z.object({
      book: z.string(),
      entry: z.string(),
      fraud: z.boolean(),
      source: z.enum(['chargeback', 'customer', 'correction']),
      note: z.string(),
    }),
    problems: ['SCORE_NOT_FOUND'],
    example: {
      body: {
        book: 'example',
        entry: '{scored_too}',
        fraud: true,
        source: 'chargeback',
        note: 'Chargeback 4711',
      },
    },
  }),
  read('/v1/risk/labels', listLabels, {
    tag,
    summary: 'List what is known of entries, newest first',
    response: pageOf(Label, 'Label'),
    problems: ['BAD_CURSOR'],
    example: { query: { book: 'example', fraud: 'true' } },
  }),
]
