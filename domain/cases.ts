import { z } from 'zod'
import { RiskDecision } from './judgement.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { ScoredMovement } from './labels.ts'
import { Identifier, Instant } from './ledger/events.ts'

export const Verdict = z.enum(['fraud', 'legitimate'])
export type Verdict = z.infer<typeof Verdict>

const ByCase = { case: Identifier }
const Reason = z.string().max(512)

/**
 * Comments and reasons lie in the log in the clear, where nothing is ever deleted: they speak of
 * accounts, entries and what was found, and never name a person or give his number or address.
 */
export const caseEvents = {
  /** The movement and its score as values: the case stays what it was opened for. */
  CaseOpened: z.object({
    ...ByCase,
    ...ScoredMovement.shape,
    probability: z.number().min(0).max(1),
    decision: RiskDecision,
    opened_by: Identifier,
    opened_at: Instant,
  }),
  /** null: nobody's. */
  CaseAssigned: z.object({
    ...ByCase,
    assignee: Identifier.nullable(),
    assigned_by: Identifier,
    assigned_at: Instant,
  }),
  CaseCommented: z.object({
    ...ByCase,
    comment: z.string().max(2000),
    commented_by: Identifier,
    commented_at: Instant,
  }),
  CaseDecisionProposed: z.object({
    ...ByCase,
    verdict: Verdict,
    reason: Reason,
    proposed_by: Identifier,
    proposed_at: Instant,
  }),
  CaseDecisionConfirmed: z.object({ ...ByCase, confirmed_by: Identifier, confirmed_at: Instant }),
  CaseDecisionRejected: z.object({
    ...ByCase,
    reason: Reason,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  CaseDecided: z.object({
    ...ByCase,
    /** Which of the case's decisions this is: the first, or a later one after it was reopened. */
    round: z.int().min(1),
    verdict: Verdict,
    reason: Reason,
    decided_by: Identifier,
    /** Who looked at it too; null: one person was enough. */
    confirmed_by: Identifier.nullable(),
    decided_at: Instant,
  }),
  CaseReopened: z.object({
    ...ByCase,
    reason: Reason,
    reopened_by: Identifier,
    reopened_at: Instant,
  }),
} as const

type CaseEvent = EventOf<typeof caseEvents>
type Data<Type extends keyof typeof caseEvents> = z.infer<(typeof caseEvents)[Type]>

export type CaseState = {
  readonly status: 'unknown' | 'open' | 'proposed' | 'decided'
  readonly opened: Data<'CaseOpened'> | null
  readonly assignee: string | null
  readonly proposal: Pick<Data<'CaseDecisionProposed'>, 'verdict' | 'reason' | 'proposed_by'> | null
  /** The last decision, also while the case is open again. */
  readonly decided: Data<'CaseDecided'> | null
}

const open = ({ status }: CaseState, data: Data<'CaseOpened'>): Decision<CaseEvent> =>
  status === 'unknown'
    ? [{ type: 'CaseOpened', data }]
    : refuse('CASE_EXISTS', `There is a case of ${data.entry} already.`, { case: data.case })

const unknown = (id: string): Refusal => refuse('CASE_NOT_FOUND', `There is no case ${id}.`)

/** The refusal unless somebody can still work on it. */
const notInHand = ({ status }: CaseState, id: string): Refusal | undefined => {
  if (status === 'unknown') return unknown(id)
  return status === 'decided'
    ? refuse('CASE_CLOSED', 'The case is decided; reopen it to go on.')
    : undefined
}

const assign = (state: CaseState, data: Data<'CaseAssigned'>): Decision<CaseEvent> => {
  const refusal = notInHand(state, data.case)
  if (refusal) return refusal
  return state.assignee === data.assignee ? [] : [{ type: 'CaseAssigned', data }]
}

const comment = (state: CaseState, data: Data<'CaseCommented'>): Decision<CaseEvent> =>
  notInHand(state, data.case) ?? [{ type: 'CaseCommented', data }]

type Ruling = {
  readonly case: string
  readonly verdict: Verdict
  readonly reason: string
  readonly by: string
  readonly at: string
  /** Whether he means to decide and not only to propose, and may. */
  readonly alone: boolean
  /** Minor units: what is worth more takes two persons. */
  readonly limit: string
}

const isAbove = ({ opened }: CaseState, limit: string): boolean =>
  opened !== null && BigInt(opened.amount) > BigInt(limit)

const roundAfter = ({ decided }: CaseState): number => (decided?.round ?? 0) + 1

/** Decides the case, or proposes to where it takes a second person. */
const rule = (
  state: CaseState,
  { case: id, verdict, reason, by, at, alone, limit }: Ruling,
): Decision<CaseEvent> => {
  const refusal = notInHand(state, id)
  if (refusal) return refusal
  if (state.proposal) {
    const { verdict: proposed, proposed_by } = state.proposal
    const facts = { verdict: proposed, proposed_by }
    return refuse('CASE_DECISION_PENDING', `${proposed} is proposed: confirm or reject it.`, facts)
  }
  const ruling = { case: id, verdict, reason }
  if (!alone || isAbove(state, limit)) {
    const data = { ...ruling, proposed_by: by, proposed_at: at }
    return [{ type: 'CaseDecisionProposed', data }]
  }
  const decided = { decided_by: by, confirmed_by: null, decided_at: at }
  return [{ type: 'CaseDecided', data: { ...ruling, round: roundAfter(state), ...decided } }]
}

const nothingProposed = (): Refusal =>
  refuse('CASE_DECISION_NOT_PENDING', 'Nothing is proposed in this case.')

type Confirmation = Pick<Ruling, 'case' | 'verdict' | 'by' | 'at'>

/** By another person than who proposed it. He names what he confirms: another may be proposed by now. */
const confirm = (
  state: CaseState,
  { case: id, verdict, by, at }: Confirmation,
): Decision<CaseEvent> => {
  const refusal = notInHand(state, id)
  if (refusal) return refusal
  if (!state.proposal) return nothingProposed()
  const { proposed_by, reason, verdict: proposed } = state.proposal
  if (proposed_by === by) {
    return refuse('NOT_PERMITTED', 'Nobody confirms what he proposed himself.', { proposed_by })
  }
  if (proposed !== verdict) {
    return refuse('REVISION_MISMATCH', `What is proposed is ${proposed}.`, { verdict: proposed })
  }
  const ruling = { case: id, round: roundAfter(state), verdict, reason }
  const decided = { decided_by: proposed_by, confirmed_by: by, decided_at: at }
  return [
    { type: 'CaseDecisionConfirmed', data: { case: id, confirmed_by: by, confirmed_at: at } },
    { type: 'CaseDecided', data: { ...ruling, ...decided } },
  ]
}

/** By anybody who may decide: who proposed it may think again. */
const reject = (state: CaseState, data: Data<'CaseDecisionRejected'>): Decision<CaseEvent> => {
  const refusal = notInHand(state, data.case)
  if (refusal) return refusal
  return state.proposal ? [{ type: 'CaseDecisionRejected', data }] : nothingProposed()
}

const reopen = (state: CaseState, data: Data<'CaseReopened'>): Decision<CaseEvent> => {
  if (state.status === 'unknown') return unknown(data.case)
  return state.status === 'decided'
    ? [{ type: 'CaseReopened', data }]
    : refuse('CASE_NOT_CLOSED', 'The case is open.')
}

/** An analyst's work on a movement whose score called for a person; one case of an entry. */
export const Case = decider({
  category: 'case',
  schemas: caseEvents,
  initial: (): CaseState => ({
    status: 'unknown',
    opened: null,
    assignee: null,
    proposal: null,
    decided: null,
  }),
  evolve: {
    CaseOpened: (state, opened): CaseState => ({ ...state, status: 'open', opened }),
    CaseAssigned: (state, { assignee }): CaseState => ({ ...state, assignee }),
    CaseCommented: (state) => state,
    CaseDecisionProposed: (state, { verdict, reason, proposed_by }): CaseState => ({
      ...state,
      status: 'proposed',
      proposal: { verdict, reason, proposed_by },
    }),
    CaseDecisionConfirmed: (state) => state,
    CaseDecisionRejected: (state): CaseState => ({ ...state, status: 'open', proposal: null }),
    CaseDecided: (state, decided): CaseState => ({
      ...state,
      status: 'decided',
      proposal: null,
      decided,
    }),
    CaseReopened: (state): CaseState => ({ ...state, status: 'open' }),
  },
  decide: { open, assign, comment, rule, confirm, reject, reopen },
})
