/** Measures Daybook: prints what it can do on this machine, durably, beside what is aimed for. */
import { parseArgs } from 'node:util'
import { machine } from './atm.ts'
import { openBank } from './bank.ts'
import { batches } from './batches.ts'
import { catchUps } from './catch_up.ts'
import { startDaybook } from './daybook.ts'
import { gate } from './gate.ts'
import { describeMachine } from './machine.ts'
import { postings } from './postings.ts'
import { reads } from './reads.ts'
import { format, HEADING } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'
import { scores } from './scores.ts'
import { verifyAll } from './verify.ts'

const FULL: Plan = { repetitions: 3, seconds: 5, warmUpSeconds: 3 }
const QUICK: Plan = { repetitions: 2, seconds: 2, warmUpSeconds: 1 }

// What needs little history first, so that no measurement grows with those before it.
const scenarios: readonly Scenario[] = [
  ...postings,
  ...scores,
  ...gate,
  ...reads,
  ...catchUps,
  ...batches,
  ...machine,
]

const USAGE = `npm run bench -- [--quick] [--only <name>]
  --quick  shorter and fewer repetitions, for a first look
  --only   one of: ${scenarios.map(({ name }) => name).join(', ')}`

const chosen = (only: string | undefined): readonly Scenario[] =>
  only === undefined ? scenarios : scenarios.filter(({ name }) => name === only)

const measure = async (selected: readonly Scenario[], plan: Plan): Promise<boolean> => {
  const daybook = await startDaybook()
  let stopping = false
  const clear = async (): Promise<void> => {
    stopping = true
    await daybook.stop()
    daybook.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void clear().finally(() => process.exit(1)))
  }
  try {
    console.log(`${describeMachine(daybook.directory).join('\n')}\n`)
    const bank = await openBank(daybook)
    console.log(HEADING)
    for (const { run } of selected) {
      for (const line of await run(bank, plan)) console.log(format(line))
      await bank.settle()
    }
    return await verifyAll(bank)
  } catch (error) {
    if (!stopping) console.error(daybook.lastWords())
    throw error
  } finally {
    await clear()
  }
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  })
  const selected = chosen(values.only)
  if (selected.length === 0) throw new Error(`Nothing is called ${values.only}.\n\n${USAGE}`)
  const holds = await measure(selected, values.quick ? QUICK : FULL)
  if (!holds) process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
