import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { type Bank, BOOK } from './bank.ts'
import type { Request } from './connection.ts'
import { expectStatus, type Repetition, UnexpectedAnswer } from './load.ts'
import { repeat } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'

const AIM = { value: 10_000, better: 'more' } as const
const ENTRIES = 1000
const BATCHES = 10
const AT_ONCE = 4
const LINES = ENTRIES * BATCHES
const PIECE = 65_536

const batch = (bank: Bank, mode: 'atomic' | 'independent'): Request => ({
  method: 'POST',
  path: `/v1/books/${BOOK}/batches`,
  body: JSON.stringify({ mode, entries: Array.from({ length: ENTRIES }, bank.entry) }),
})

/** Posts so many requests made beforehand. `accepted` counts the entries that an answer confirms. */
const postBatches = async (bank: Bank, requests: readonly Request[]): Promise<Repetition> => {
  const connections = await bank.open(AT_ONCE)
  const left = [...requests]
  const latencies_ms: number[] = []
  let done = 0
  const began = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      for (let next = left.pop(); next; next = left.pop()) {
        const sent = performance.now()
        const { body } = expectStatus(await connection.send(next), 200)
        latencies_ms.push(performance.now() - sent)
        const { results } = JSON.parse(body) as { results: { status: string }[] }
        done += results.filter(({ status }) => status === 'posted').length
      }
      connection.close()
    }),
  )
  const seconds = (performance.now() - began) / 1000
  if (done !== requests.length * ENTRIES) throw new UnexpectedAnswer(`${done} entries were posted`)
  return { done, seconds, latencies_ms }
}

const inBatches =
  (mode: 'atomic' | 'independent') =>
  async (bank: Bank, { repetitions }: Plan) => {
    const once = (): Promise<Repetition> =>
      postBatches(
        bank,
        Array.from({ length: BATCHES }, () => batch(bank, mode)),
      )
    await once()
    const name = `${mode} batches of ${ENTRIES}, ${AT_ONCE} at once`
    const aim = mode === 'atomic' ? AIM : undefined
    return [await repeat(repetitions, { name, unit: 'entries/s', aim }, once)]
  }

let rows = 0

const importLine = (bank: Bank): string => {
  rows += 1
  return `${JSON.stringify({ key: `row-${rows}`, ...bank.entry() })}\n`
}

/** As a file is sent: in large pieces that end anywhere. */
const piecesOf = (lines: readonly string[]): string[] => {
  const text = lines.join('')
  const count = Math.ceil(text.length / PIECE)
  return Array.from({ length: count }, (_, index) => text.slice(index * PIECE, (index + 1) * PIECE))
}

/** Sends lines as fast as they are taken and reads the results meanwhile. */
const importLines = async (bank: Bank): Promise<Repetition> => {
  const lines = Array.from({ length: LINES }, () => importLine(bank))
  const began = performance.now()
  const sending = request(new URL(`/v1/books/${BOOK}/import`, bank.daybook.url), {
    method: 'POST',
    headers: { Authorization: `Bearer ${bank.token}`, 'Content-Type': 'application/x-ndjson' },
  })
  const answered = new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sending.once('response', resolve)
    sending.once('error', reject)
  })
  Readable.from(piecesOf(lines)).pipe(sending)
  const answer = await answered
  let done = 0
  for await (const line of createInterface({ input: answer })) {
    if (!line.includes('"status":"posted"')) throw new UnexpectedAnswer(line.slice(0, 500))
    done += 1
  }
  const seconds = (performance.now() - began) / 1000
  if (done !== LINES) throw new UnexpectedAnswer(`${done} of ${LINES} lines were answered`)
  return { done, seconds, latencies_ms: [] }
}

const importStream = async (bank: Bank, { repetitions }: Plan) => {
  const once = (): Promise<Repetition> => importLines(bank)
  await once()
  const described = { name: `NDJSON import of ${LINES} lines`, unit: 'entries/s', aim: AIM }
  return [await repeat(repetitions, described, once)]
}

export const batches: readonly Scenario[] = [
  { name: 'atomic-batches', run: inBatches('atomic') },
  { name: 'independent-batches', run: inBatches('independent') },
  { name: 'import', run: importStream },
]

/** Entries as events of their own, for what needs history to work on. */
export const postHistory = async (bank: Bank, entries: number): Promise<void> => {
  const count = Math.ceil(entries / ENTRIES)
  await postBatches(
    bank,
    Array.from({ length: count }, () => batch(bank, 'independent')),
  )
}
