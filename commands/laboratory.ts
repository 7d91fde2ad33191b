import { type Refusal, refuse } from '../domain/kernel.ts'
import type { ModelFamily } from '../domain/models.ts'

/** With less, what is found is chance. */
export const LEAST_ROWS = 200
export const LEAST_FRAUDS = 10

/** What the laboratory answers where it has too little to go by; `frauds` where they count. */
export const tooLittle = (rows: number, frauds?: number): Refusal => {
  const some = frauds === undefined ? '' : `, ${frauds} of them fraud`
  const least = frauds === undefined ? '' : ` and ${LEAST_FRAUDS} frauds`
  return refuse(
    'EVIDENCE_INSUFFICIENT',
    `There are ${rows} movements to go by${some}; it takes ${LEAST_ROWS}${least}.`,
    { rows, ...(frauds !== undefined && { frauds }) },
  )
}

/** The evidence of a book, up to this many days ago: younger frauds may not be known yet. */
type Matured = { readonly book: string; readonly matured_days: number; readonly since_days: number }

/** In any one unit: a fraud that was approved, a look, a legitimate movement that was blocked. */
type JudgingCosts = {
  readonly missed: number
  readonly review: number
  readonly wrong_block: number
}

/** Whose scores are looked at: the champion's, unless another that has answered is named. */
type OfModel = { readonly model?: string | undefined }

export type AskedThresholds = Matured & OfModel & JudgingCosts

export type ThresholdAdvice = {
  readonly model: string
  readonly rows: number
  /** There were older rows too, which were left out. */
  readonly more: boolean
  readonly base_rate: number
  readonly auc: number
  readonly average_precision: number
  readonly brier: number
  readonly best: Judging
  readonly present: Judging
  /** What it would have cost to approve everything. */
  readonly approve_all: number
}
type Judging = {
  readonly review_from: number
  readonly block_from: number
  readonly cost: number
}

export type AskedDrift = OfModel & {
  readonly book: string
  readonly days: number
  readonly reference_days: number
}

export type Drift = {
  readonly model: string
  readonly reference_rows: number
  readonly rows: number
  readonly score: Drifted
  /** The most drifted first. */
  readonly features: readonly (Drifted & { readonly feature: string })[]
}
type Drifted = {
  readonly psi: number
  readonly verdict: 'stable' | 'moderate' | 'drifted'
}

type Lead = { readonly difference: number; readonly low: number; readonly high: number }
type BothSides = { readonly champion: number; readonly challenger: number }
type BothValues = { readonly champion: string; readonly challenger: string }
type ValueLead = { readonly difference: string; readonly low: string; readonly high: string }

/** A challenger beside the champion, on the same movements. Money in minor units. */
export type Contest = {
  readonly champion: string
  readonly challenger: string
  readonly rows: number
  readonly frauds: number
  readonly average_precision: BothSides
  readonly net_value: BothValues
  readonly precision_lead: Lead
  readonly value_lead: ValueLead
  readonly earned: boolean
}

export type AskedContest = Matured & {
  readonly family: ModelFamily
  readonly version: string
  readonly asset: string
  /** How sure the leads must be: 0.95. */
  readonly level: number
  /** Minor units of the asset. */
  readonly review: string
  readonly wrong_block: string
}

/** What the scores and labels of a book say of models and thresholds; refused with too few. */
export type Laboratory = {
  thresholds(asked: AskedThresholds): Promise<ThresholdAdvice | Refusal>
  drift(asked: AskedDrift): Promise<Drift | Refusal>
  contest(asked: AskedContest): Promise<Contest | Refusal>
}
