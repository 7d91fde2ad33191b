import type { Bank } from './bank.ts'
import type { Connection, Request } from './connection.ts'
import { type Repetition, runClosedLoop } from './load.ts'
import { watchEffort } from './machine.ts'
import { type Line, repeat } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'
import { median } from './statistics.ts'

const AIM_AT_64 = 3000
const HOT_SHARE = 0.8
const MANY = 64

const closeAll = (connections: readonly Connection[]): void => {
  for (const connection of connections) connection.close()
}

const atConnections =
  (connections: number) =>
  async (bank: Bank, plan: Plan): Promise<Line[]> => {
    const opened = await bank.open(connections)
    const once = (): Promise<Repetition> => runClosedLoop(opened, plan.seconds, 201, bank.transfer)
    try {
      await runClosedLoop(opened, plan.warmUpSeconds, 201, bank.transfer)
      const name = `transfers, ${connections} ${connections === 1 ? 'connection' : 'connections'}`
      const aim = connections === MANY ? { value: AIM_AT_64, better: 'more' as const } : undefined
      return [await repeat(plan.repetitions, { name, unit: 'postings/s', aim }, once)]
    } finally {
      closeAll(opened)
    }
  }

/** Takes turns, so that whatever else the machine does falls on both alike. */
const hotAgainstUniform = async (bank: Bank, plan: Plan): Promise<Line[]> => {
  const opened = await bank.open(MANY)
  const run = async (next: () => Request): Promise<Repetition> =>
    runClosedLoop(opened, plan.seconds, 201, next)
  const uniform: Repetition[] = []
  const hot: Repetition[] = []
  try {
    await runClosedLoop(opened, plan.warmUpSeconds, 201, bank.hotTransfer)
    const effortOf = watchEffort()
    for (let turn = 0; turn < plan.repetitions; turn += 1) {
      uniform.push(await run(bank.transfer))
      hot.push(await run(bank.hotTransfer))
    }
    const rate = ({ done, seconds }: Repetition): number => done / seconds
    const value = HOT_SHARE * median(uniform.map(rate))
    return [
      {
        name: `transfers to one account, ${MANY}`,
        unit: 'postings/s',
        values: hot.map(rate),
        latencies_ms: hot.flatMap(({ latencies_ms }) => latencies_ms),
        aim: { value, better: 'more' },
        effort: effortOf(),
      },
    ]
  } finally {
    closeAll(opened)
  }
}

export const postings: readonly Scenario[] = [
  { name: 'postings-1', run: atConnections(1) },
  { name: 'postings-16', run: atConnections(16) },
  { name: 'postings-64', run: atConnections(MANY) },
  { name: 'hot-account', run: hotAgainstUniform },
]
