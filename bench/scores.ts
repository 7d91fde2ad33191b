import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Bank } from './bank.ts'
import { expectStatus, runSteadily } from './load.ts'
import { watchEffort } from './machine.ts'
import type { Line } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'
import { percentile } from './statistics.ts'

const PER_SECOND = 200
const CONNECTIONS = 16
const AIM_P99_MS = 100
const LAST_SCORE_TIMEOUT_MS = 10_000

/** Notes when the score of each entry arrives, in ms. */
const followScores = async (bank: Bank, arrived: Map<string, number>): Promise<() => void> => {
  const headers = { Authorization: `Bearer ${bank.token}` }
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get(new URL('/v1/risk/scores/stream', bank.daybook.url), { headers }, resolve).once(
      'error',
      reject,
    )
  })
  if (stream.statusCode !== 200) throw new Error(`the score stream answered ${stream.statusCode}`)
  stream.once('error', () => undefined)
  createInterface({ input: stream }).on('line', (line) => {
    if (!line.startsWith('data: ')) return
    const now = performance.now()
    const { data } = JSON.parse(line.slice('data: '.length)) as { data: { entry: string } }
    arrived.set(data.entry, now)
  })
  return () => stream.destroy()
}

/** Posts at a steady rate and waits for the score of each posting. Answers the delays in ms. */
const measureDelays = async (bank: Bank, seconds: number): Promise<number[]> => {
  const arrived = new Map<string, number>()
  const sentAt = new Map<string, number>()
  const connections = await bank.open(CONNECTIONS)
  const stopFollowing = await followScores(bank, arrived)
  try {
    await runSteadily(connections, seconds, PER_SECOND, async (connection) => {
      const sent = performance.now()
      const { body } = expectStatus(await connection.send(bank.transfer()), 201)
      sentAt.set((JSON.parse(body) as { id: string }).id, sent)
    })
    const deadline = performance.now() + LAST_SCORE_TIMEOUT_MS
    while ([...sentAt.keys()].some((entry) => !arrived.has(entry))) {
      if (performance.now() > deadline) throw new Error('some postings were never scored')
      await wait(20)
    }
    return [...sentAt].map(([entry, sent]) => (arrived.get(entry) ?? Number.NaN) - sent)
  } finally {
    stopFollowing()
    for (const connection of connections) connection.close()
  }
}

const postingToScore = async (bank: Bank, plan: Plan): Promise<Line[]> => {
  await bank.settle()
  await measureDelays(bank, plan.warmUpSeconds)
  const effortOf = watchEffort()
  const runs: number[][] = []
  for (let run = 0; run < plan.repetitions; run += 1) {
    runs.push(await measureDelays(bank, plan.seconds))
  }
  return [
    {
      name: `posting sent to score seen, ${PER_SECOND}/s`,
      unit: 'ms (p99)',
      values: runs.map((delays) => percentile(delays, 0.99)),
      latencies_ms: runs.flat(),
      aim: { value: AIM_P99_MS, better: 'less' },
      effort: effortOf(),
    },
  ]
}

export const scores: readonly Scenario[] = [{ name: 'scores', run: postingToScore }]
