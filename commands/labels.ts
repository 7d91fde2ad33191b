import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import {
  circumstancesOf,
  LabelSource,
  Labels,
  type LabelsState,
  type ScoredMovement,
  type TransactionLabelled,
} from '../domain/labels.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { command, type Enrichment, submitStep } from './kernel.ts'
import { readEntry } from './ledger/entries.ts'
import type { Ports, Score } from './ports.ts'

/** The movement behind a score, and what the scorer made of it. */
export type Scored = {
  readonly movement: ScoredMovement
  readonly judged: Pick<Score, 'probability' | 'decision'>
}

/** As the score has it, with where and with what the entry says it was made. */
export const readScored = async (
  ports: Ports,
  book: string,
  entry: string,
): Promise<Scored | Refusal> => {
  const score = await ports.scores.find(book, entry)
  if (!score) {
    return refuse('SCORE_NOT_FOUND', `The entry ${entry} of ${book} has no score.`, { entry })
  }
  const { account, counterparty, amount, asset, booked_at, probability, decision } = score
  const paid = { account, counterparty, amount, asset, booked_at }
  const posted = await readEntry(ports, book, entry)
  return {
    movement: { book, entry, ...paid, ...circumstancesOf(posted?.metadata) },
    judged: { probability, decision },
  }
}

/** Tells what became known outside of a case: a chargeback, a customer's word, a correction. */
export const labelTransaction = command({
  name: 'labels.record',
  permission: 'risk:label',
  input: z.strictObject({
    book: BookId,
    entry: Identifier,
    fraud: z.boolean(),
    source: LabelSource.exclude(['analyst']),
    note: z.string().trim().min(1).max(512),
  }),
  decider: Labels,
  stream: ({ book }) => book,
  on: 'any',
  otherwise: 'SCORE_NOT_FOUND',
  ifMatch: 'stream',
  enrich: async ({ book, entry, fraud, source, note }, { ports, at }) => {
    const scored = await readScored(ports, book, entry)
    if (isRefusal(scored)) return scored
    return { ...scored.movement, fraud, source, note, labelled_at: at }
  },
  decide: Labels.decide.label,
  answer: (_events, { book, entry, fraud, source, note }) => ({ book, entry, fraud, source, note }),
})

/** Labels what a case was decided about. Safe to run again, also after a later correction. */
export const labelDecision = async (
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
  data: TransactionLabelled & { readonly case: string; readonly round: number },
): Promise<void> => {
  const outcome = await submitStep(
    ports,
    {
      name: 'labels.conclude',
      decider: Labels,
      stream: data.book,
      on: 'any',
      otherwise: 'SCORE_NOT_FOUND',
      decide: (labels: LabelsState) => Labels.decide.conclude(labels, data),
    },
    context,
  )
  if (isRefusal(outcome)) throw new Error(`a decision was not labelled: ${outcome.detail}`)
}
