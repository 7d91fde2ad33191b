import { z } from 'zod'
import { Case, type caseEvents, Verdict } from '../domain/cases.ts'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { ScoredMovement } from '../domain/labels.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { reachOf } from '../domain/permissions.ts'
import { command, type Enrichment, onExisting } from './kernel.ts'
import { labelDecision, readScored } from './labels.ts'
import { dataOf } from './ledger/kernel.ts'
import { lookAt } from './look.ts'
import type { Ports } from './ports.ts'
import { lookAtUser } from './usernames.ts'

/** Minor units, of whatever asset: deciding on more takes two persons. */
const ONE_IS_ENOUGH_UP_TO = '100000'

const Reason = z.string().trim().min(1).max(512)
const ByCase = { case: Identifier }

/** One for each entry, so that two who open it at once open the same. */
const caseOf = (book: string, entry: string): string => idFrom(`case ${book} ${entry}`)

export const openCase = command({
  name: 'cases.open',
  permission: 'risk:work',
  input: z.strictObject({ book: BookId, entry: Identifier }),
  decider: Case,
  stream: ({ book, entry }) => caseOf(book, entry),
  on: 'any',
  otherwise: 'CASE_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ book, entry }, { ports, context, at }) => {
    const scored = await readScored(ports, book, entry)
    if (isRefusal(scored)) return scored
    const opened = { opened_by: context.actor.id, opened_at: at }
    return { case: caseOf(book, entry), ...scored.movement, ...scored.judged, ...opened }
  },
  decide: Case.decide.open,
  answer: (events) => dataOf<z.infer<typeof caseEvents.CaseOpened>>(events, 'CaseOpened'),
})

const caseCommand = onExisting({ decider: Case, field: 'case', otherwise: 'CASE_NOT_FOUND' })

/** The refusal unless the user can work on cases. */
const unsuitable = async (ports: Ports, user: string): Promise<Refusal | undefined> => {
  const found = await lookAtUser(ports, user)
  if (!found) return refuse('USER_NOT_FOUND', `There is no user ${user}.`, { field: 'assignee' })
  if (found.state.status === 'disabled') {
    return refuse('USER_DISABLED', `The user ${user} is disabled.`, { field: 'assignee' })
  }
  return reachOf(found.state.roles, 'risk:work')
    ? undefined
    : refuse('CASE_ASSIGNEE_UNSUITABLE', `${user} may not work on cases.`, { field: 'assignee' })
}

/** Gives the case to somebody, or to nobody in particular. */
export const assignCase = caseCommand({
  name: 'cases.assign',
  permission: 'risk:work',
  input: z.strictObject({ ...ByCase, assignee: Identifier.nullable() }),
  enrich: async ({ case: id, assignee }, { ports, context, at }) => {
    const refusal = assignee === null ? undefined : await unsuitable(ports, assignee)
    if (refusal) return refusal
    return { case: id, assignee, assigned_by: context.actor.id, assigned_at: at }
  },
  decide: Case.decide.assign,
  answer: (_events, { case: id, assignee }) => ({ case: id, assignee }),
})

export const commentOnCase = caseCommand({
  name: 'cases.comment',
  permission: 'risk:work',
  input: z.strictObject({ ...ByCase, comment: z.string().trim().min(1).max(2000) }),
  enrich: ({ case: id, comment }, { context, at }) => ({
    ...{ case: id, comment },
    ...{ commented_by: context.actor.id, commented_at: at },
  }),
  decide: Case.decide.comment,
  answer: (_events, _input, comment) => comment,
})

/** A key may be anybody's, also of the person whom it would make a second one of. */
const notInPerson = async ({ ports, context }: Enrichment): Promise<Refusal | undefined> =>
  (await lookAtUser(ports, context.actor.id))
    ? undefined
    : refuse('NOT_PERMITTED', 'A decision takes a person: no API key makes one.')

/** The label of the last decision, if there was one. */
const labelLastDecision = async (enrichment: Enrichment, id: string): Promise<void> => {
  const { ports, at } = enrichment
  const { opened, decided } = await lookAt(ports, Case, id)
  if (!opened || !decided) return
  await labelDecision(enrichment, {
    ...ScoredMovement.parse(opened),
    ...{ fraud: decided.verdict === 'fraud', source: 'analyst', note: decided.reason },
    ...{ case: id, round: decided.round, labelled_at: at },
  })
}

/** Decides, or proposes where the amount, or whoever asks, wants a second person. */
export const decideCase = caseCommand({
  name: 'cases.decide',
  permission: 'risk:work',
  input: z.strictObject({
    ...ByCase,
    verdict: Verdict,
    reason: Reason,
    /** To have a second person look at it whatever the amount. */
    propose: z.boolean().default(false),
  }),
  enrich: async ({ case: id, verdict, reason, propose }, enrichment) => {
    const refusal = await notInPerson(enrichment)
    if (refusal) return refusal
    const { context, at } = enrichment
    const mayDecide = reachOf(context.actor.roles, 'risk:decide') !== undefined
    return {
      ...{ case: id, verdict, reason, by: context.actor.id, at },
      ...{ alone: mayDecide && !propose, limit: ONE_IS_ENOUGH_UP_TO },
    }
  },
  decide: Case.decide.rule,
  after: ({ case: id }, enrichment) => labelLastDecision(enrichment, id),
  answer: (events, { case: id, verdict }) => {
    const proposed = events.some(({ type }) => type === 'CaseDecisionProposed')
    return { case: id, verdict, status: proposed ? ('proposed' as const) : ('decided' as const) }
  },
})

/** The second person's word. Naming the verdict says which proposal he has read. */
export const confirmDecision = caseCommand({
  name: 'cases.confirm',
  permission: 'risk:decide',
  input: z.strictObject({ ...ByCase, verdict: Verdict }),
  enrich: async ({ case: id, verdict }, enrichment) => {
    const refusal = await notInPerson(enrichment)
    if (refusal) return refusal
    return { case: id, verdict, by: enrichment.context.actor.id, at: enrichment.at }
  },
  decide: Case.decide.confirm,
  after: ({ case: id }, enrichment) => labelLastDecision(enrichment, id),
  answer: (_events, { case: id, verdict }) => ({ case: id, verdict, status: 'decided' as const }),
})

export const rejectDecision = caseCommand({
  name: 'cases.reject',
  permission: 'risk:decide',
  input: z.strictObject({ ...ByCase, reason: Reason }),
  enrich: ({ case: id, reason }, { context, at }) => ({
    ...{ case: id, reason, rejected_by: context.actor.id, rejected_at: at },
  }),
  decide: Case.decide.reject,
  answer: (_events, { case: id }) => ({ case: id, status: 'open' as const }),
})

/** The label of the decision stays until there is another decision, or a correction. */
export const reopenCase = caseCommand({
  name: 'cases.reopen',
  permission: 'risk:decide',
  input: z.strictObject({ ...ByCase, reason: Reason }),
  enrich: ({ case: id, reason }, { context, at }) => ({
    ...{ case: id, reason, reopened_by: context.actor.id, reopened_at: at },
  }),
  decide: Case.decide.reopen,
  // A decision whose label was lost with its process has it now, before it is forgotten.
  after: ({ case: id }, enrichment) => labelLastDecision(enrichment, id),
  answer: (_events, { case: id }) => ({ case: id, status: 'open' as const }),
})
