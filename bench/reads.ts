import { type Bank, BOOK } from './bank.ts'
import { postHistory } from './batches.ts'
import { type Repetition, runClosedLoop } from './load.ts'
import { repeat } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'

const CONNECTIONS = 16
/** Some 40 lines for each account: statement pages are full. */
const HISTORY = 20_000

const readPath =
  (name: string, pathOf: (account: string) => string) => async (bank: Bank, plan: Plan) => {
    const { items } = (await bank.ask(`/v1/books/${BOOK}/entries?limit=1`)) as { items: unknown[] }
    if (items.length === 0) await postHistory(bank, HISTORY)
    await bank.settle()
    const connections = await bank.open(CONNECTIONS)
    const once = (seconds: number): Promise<Repetition> =>
      runClosedLoop(connections, seconds, 200, () => ({
        method: 'GET',
        path: `/v1/books/${BOOK}/accounts/${pathOf(bank.account())}`,
      }))
    try {
      await once(plan.warmUpSeconds)
      return [
        await repeat(
          plan.repetitions,
          { name: `${name}, ${CONNECTIONS} connections`, unit: 'reads/s' },
          () => once(plan.seconds),
        ),
      ]
    } finally {
      for (const connection of connections) connection.close()
    }
  }

export const reads: readonly Scenario[] = [
  { name: 'balance', run: readPath('balance', (account) => `${account}/balance`) },
  {
    name: 'statement',
    run: readPath('statement page of 50', (account) => `${account}/lines?limit=50`),
  },
]
