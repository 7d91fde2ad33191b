import { openCase } from '../../commands/cases.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import type { TaskResult } from '../../domain/tasks.ts'
import { listScoredPayments, type ScoredPaymentView } from '../../projections/payment_scores.ts'
import type { Database } from '../../projections/table.ts'
import { SYSTEM } from '../system.ts'
import type { Doer } from '../tasks/worker.ts'

const MOST = 1000
const MOST_SHOWN = 20
const HOUR_MS = 3_600_000

type Options = { readonly ports: Ports; readonly database: Database }

/** A case is the alert: there is one for each entry, however often it is looked at. */
const raise = async (ports: Ports, book: string, entry: string): Promise<boolean> => {
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  return !isRefusal(await execute(ports, openCase, { book, entry }, context))
}

const resultOf = (
  payments: readonly ScoredPaymentView[],
  suspicious: readonly ScoredPaymentView[],
  alerts: number,
): TaskResult => {
  const analyzed = payments.filter(({ decision }) => decision !== null).length
  const unscored = payments.length - analyzed
  const left = unscored === 0 ? '' : ` ${unscored} have no score yet.`
  return {
    message: `${analyzed} transactions were analysed, ${suspicious.length} look suspicious.${left}`,
    figures: { analyzed, unscored, anomalies: suspicious.length, alerts },
    examples: suspicious.slice(0, MOST_SHOWN).map(({ number, probability, decision }) => ({
      ...{ transaction_id: number, risk_score: probability ?? 0, decision: decision ?? '' },
    })),
  }
}

/** Looks at the scores of the payments of some hours, and opens a case for what needs a person. */
export const analyzePayments =
  ({ ports, database }: Options): Doer =>
  async ({ input, requested_by }, tell, signal) => {
    const { book = '', asset = '', hours = '' } = input
    const asker = { id: requested_by, reach: 'all', at: ports.clock() } as const
    const since = new Date(asker.at.getTime() - Number(hours) * HOUR_MS)
    const asked = listScoredPayments.input.parse({ book, asset, since, limit: MOST })
    const payments = await listScoredPayments.run(database, asked, asker, ports.vault)
    const suspicious = payments
      .filter(({ decision }) => decision !== null && decision !== 'approve')
      .sort((one, other) => (other.probability ?? 0) - (one.probability ?? 0))
    let alerts = 0
    for (const [index, { payment }] of suspicious.entries()) {
      signal.throwIfAborted()
      if (await raise(ports, asked.book, payment)) alerts += 1
      tell({ stage: 'Raising alerts.', done: (index + 1) / suspicious.length })
    }
    return resultOf(payments, suspicious, alerts)
  }
