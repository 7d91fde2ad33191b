import { type Bank, BOOK } from './bank.ts'
import type { Connection, Request } from './connection.ts'
import { expectStatus, runSteadily } from './load.ts'
import { watchEffort } from './machine.ts'
import type { Line } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'
import { percentile } from './statistics.ts'

const CONNECTIONS = 16
const PER_SECOND = 200

/** Scores and judges everything, and lets everything pass: what is measured is the gate. */
const allowAll = async (connection: Connection): Promise<void> => {
  const terms = { review_from: 1, block_from: 1, when_unsure: 'closed', brake: null }
  const path = `/v1/risk/policies/${BOOK}`
  const request: Request = { method: 'PUT', path, body: JSON.stringify(terms) }
  expectStatus(await connection.send(request), 200)
}

const gated = (request: Request): Request => ({
  ...request,
  body: `${request.body?.slice(0, -1)},"risk":"gate"}`,
})

/** Latencies in ms at a steady rate. */
const steadily = async (
  opened: readonly Connection[],
  seconds: number,
  next: () => Request,
): Promise<number[]> => {
  const latencies: number[] = []
  await runSteadily(opened, seconds, PER_SECOND, async (connection) => {
    const sent = performance.now()
    expectStatus(await connection.send(next()), 201)
    latencies.push(performance.now() - sent)
  })
  return latencies
}

const lineOf = (name: string, latencies_ms: readonly number[], effort: Line['effort']): Line => ({
  ...{ name, unit: 'ms p99', effort, latencies_ms },
  values: [percentile(latencies_ms, 0.99)],
})

/** Takes turns, so that whatever else the machine does falls on both alike. */
const whatItAdds = async (bank: Bank, plan: Plan): Promise<Line[]> => {
  const opened = await bank.open(CONNECTIONS)
  const [plain, screened]: [number[], number[]] = [[], []]
  try {
    const [first] = opened
    if (first) await allowAll(first)
    const screen = (): Request => gated(bank.transfer())
    await steadily(opened, plan.warmUpSeconds, screen)
    const effortOf = watchEffort()
    for (let turn = 0; turn < plan.repetitions; turn += 1) {
      plain.push(...(await steadily(opened, plan.seconds, bank.transfer)))
      screened.push(...(await steadily(opened, plan.seconds, screen)))
    }
    const effort = effortOf()
    const added = percentile(screened, 0.99) - percentile(plain, 0.99)
    return [
      lineOf(`transfers at ${PER_SECOND}/s, not gated`, plain, effort),
      lineOf(`transfers at ${PER_SECOND}/s, gated`, screened, effort),
      { name: 'what the gate adds', unit: 'ms p99', values: [added], latencies_ms: [], effort },
    ]
  } finally {
    for (const connection of opened) connection.close()
  }
}

export const gate: readonly Scenario[] = [{ name: 'gate', run: whatItAdds }]
