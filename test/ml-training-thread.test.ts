import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { BOOST_DEFAULTS, boostWithReport, type Progress } from '../ml/boosting.ts'
import { CHURN_BOOST, trainChurn } from '../ml/churn.ts'
import { simulateChurn } from '../ml/churn_simulator.ts'
import { fork } from '../ml/random.ts'
import { trainChurnInThread, trainInThread } from '../ml/training.ts'

const settings = { ...BOOST_DEFAULTS, trees: 60, patience: 60 }

const rows = (count: number) => {
  const next = fork(6, 6)
  const columns = [0, 1, 2, 3].map(() => Float32Array.from({ length: count }, () => next()))
  const labels = Uint8Array.from({ length: count }, (_, row) =>
    (columns[0]?.[row] as number) + next() > 1.3 ? 1 : 0,
  )
  return { columns, labels }
}

const sharedRows = (count: number) => {
  const { columns, labels } = rows(count)
  const shared = columns.map((column) => {
    const copy = new Float32Array(new SharedArrayBuffer(column.byteLength))
    copy.set(column)
    return copy
  })
  return { columns: shared, labels }
}

describe('training in a thread', () => {
  it('gives what training here gives, with progress from 0 to 1 and the stages in order', async () => {
    const here = boostWithReport(rows(2_000).columns, rows(2_000).labels, settings)
    const heard: Progress[] = []
    const there = await trainInThread({
      ...rows(2_000),
      settings,
      onProgress: (progress) => heard.push(progress),
    })
    expect(there).toEqual(here)
    expect([...new Set(heard.map(({ stage }) => stage))]).toEqual([
      'binning',
      'growing',
      'calibrating',
      'done',
    ])
    const done = heard.map((progress) => progress.done)
    expect(done).toEqual([...done].sort((one, other) => one - other))
    expect(done.at(-1)).toBe(1)
    expect(done.length).toBeGreaterThan(20)
  })

  it('leaves the caller free to do other things', async () => {
    let turns = 0
    let over = false
    const training = trainInThread({ ...rows(6_000), settings }).finally(() => {
      over = true
    })
    while (!over) {
      await turn()
      turns += 1
    }
    await training
    expect(turns).toBeGreaterThan(100)
  })

  it('takes the columns over, and leaves those in shared memory where they are', async () => {
    const given = rows(500)
    await trainInThread({ ...given, settings })
    expect(given.columns[0]).toHaveLength(0)
    expect(given.labels).toHaveLength(500)
    const shared = sharedRows(500)
    await trainInThread({ ...shared, settings })
    expect(shared.columns[0]).toHaveLength(500)
  })

  it('takes columns that lie in one piece of memory', async () => {
    const { columns, labels } = rows(500)
    const memory = new Float32Array(columns.length * 500)
    const views = columns.map((column, place) => {
      memory.set(column, place * 500)
      return memory.subarray(place * 500, (place + 1) * 500)
    })
    const { report } = await trainInThread({ columns: views, labels, settings })
    expect(report).toEqual(boostWithReport(rows(500).columns, labels, settings).report)
  })

  it('ends when it is aborted, with the reason that was given', async () => {
    const stop = new AbortController()
    const reason = new Error('somebody changed his mind')
    const begun = once(process, 'worker')
    const heard: Progress[] = []
    const training = trainInThread({
      ...rows(20_000),
      settings: { ...settings, trees: 100_000, valid_share: 0 },
      signal: stop.signal,
      onProgress: (progress) => {
        heard.push(progress)
        stop.abort(reason)
      },
    })
    const [worker] = (await begun) as [Worker]
    await expect(training).rejects.toBe(reason)
    // What Node says of a thread that is no more.
    expect(worker.threadId).toBe(-1)
    expect(heard).toHaveLength(1)
  })

  it('does not begin when it was aborted before, and leaves the columns alone', async () => {
    const given = rows(500)
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(trainInThread({ ...given, settings, signal })).rejects.toThrow('too late')
    expect(given.columns[0]).toHaveLength(500)
  })

  it('fails with what training says', async () => {
    const { columns } = rows(500)
    const training = trainInThread({ columns, labels: new Uint8Array(500), settings })
    await expect(training).rejects.toThrow('both labels')
  })
})

describe('training a churn model in a thread', () => {
  const customers = simulateChurn({ seed: 3, customers: 600, missing: 0 })
  const churn = {
    version: 'churn-9',
    boost: { ...CHURN_BOOST, trees: 20 },
    folds: 3,
    trained_on: 'a test',
  }

  it('gives what training here gives', async () => {
    const stages: string[] = []
    const { bytes, report } = await trainChurnInThread({
      rows: customers,
      settings: churn,
      onProgress: ({ stage }) => stages.push(stage),
    })
    const here = trainChurn(customers, churn)
    expect(Buffer.compare(bytes, here.bytes)).toBe(0)
    expect(report).toEqual(here.report)
    expect(stages.at(-1)).toBe('done')
  })

  it('ends when it is aborted', async () => {
    const stop = new AbortController()
    const training = trainChurnInThread({
      rows: customers,
      settings: { ...churn, boost: { ...CHURN_BOOST, trees: 100_000 } },
      signal: stop.signal,
    })
    setTimeout(() => stop.abort(new Error('enough')), 200)
    await expect(training).rejects.toThrow('enough')
  })
})
