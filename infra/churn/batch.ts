import { PREDICTION_TRIES, predictChurn } from '../../commands/churn.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { findChurnCustomers } from '../../projections/churn/index.ts'
import type { Database } from '../../projections/table.ts'
import { SYSTEM } from '../system.ts'
import type { Doer } from '../tasks/worker.ts'
import type { Delivery } from './alerts.ts'

export type BatchOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly delivery: Pick<Delivery, 'deliver'>
}

/** Again when somebody else scored him meanwhile. */
const predict = async (ports: Ports, customer: string) => {
  for (let tries = 1; ; tries += 1) {
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const receipt = await execute(ports, predictChurn, { customer }, context)
    const isOutrun = isRefusal(receipt) && receipt.refused === 'REVISION_MISMATCH'
    if (!isOutrun || tries >= PREDICTION_TRIES) return receipt
  }
}

/** Scores the customers of a batch, one after another; who was removed meanwhile is left out. */
export const scoreBatch =
  ({ ports, database, delivery }: BatchOptions): Doer =>
  async ({ input, requested_by }, tell, signal) => {
    const numbers = Array.isArray(input.customers) ? input.customers : []
    const asker = { id: requested_by, reach: 'all', at: ports.clock() } as const
    const customers = await findChurnCustomers.run(database, { numbers }, asker, ports.vault)
    let scored = 0
    for (const [index, { customer }] of customers.entries()) {
      signal.throwIfAborted()
      const receipt = await predict(ports, customer)
      if (!isRefusal(receipt)) {
        scored += 1
        for (const alert of receipt.answer.alerts) delivery.deliver(customer, alert)
      }
      tell({ stage: 'Scoring customers.', done: (index + 1) / customers.length })
    }
    return `${scored} of ${numbers.length} customers were scored.`
  }
