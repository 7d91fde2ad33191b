import { z } from '@hono/zod-openapi'
import type { Command } from '../../commands/kernel.ts'
import { postBatch, postEntry } from '../../commands/ledger/index.ts'
import { EntryInput, PostBatch } from '../../commands/ledger/inputs.ts'
import { BookId } from '../../domain/ledger/events.ts'
import type { Position } from '../../domain/log.ts'
import { parseJson } from '../json.ts'
import { invalidRequest, Problem, ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { answerLines } from '../stream.ts'
import * as views from './views.ts'

const tag = 'Batches'
const book = 'example'

const Posted = z.object({
  index: z.int(),
  status: z.literal('posted'),
  replayed: z.boolean(),
  entry: views.PostedEntry,
})
const Refused = z.object({ index: z.int(), status: z.literal('refused'), problem: Problem })
const Result = z.discriminatedUnion('status', [Posted, Refused]).openapi('PostingResult')

type Outcome = { readonly result: object; readonly position: Position | undefined }

/** One entry of many, each on its own: a refusal is a result, not the end of the others. */
const postOne = async (
  call: Call,
  index: number,
  input: object,
  key: string | undefined,
): Promise<Outcome> => {
  try {
    const receipt = await call.services.execute(postEntry as Command, { ...call, input, key })
    const { answer: entry, replayed, position } = receipt
    return { result: { index, status: 'posted', replayed, entry }, position }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return { result: { index, status: 'refused', problem: error.problem }, position: undefined }
  }
}

const newest = (outcomes: readonly Outcome[]): Record<string, string> => {
  let highest = 0n
  for (const { position } of outcomes) {
    if (position && position.commit > highest) highest = position.commit
  }
  return highest > 0n ? { 'Consistency-Token': highest.toString() } : {}
}

const BatchInput = PostBatch.extend({ mode: z.enum(['atomic', 'independent']).default('atomic') })

const runBatch = async (call: Call) => {
  const { mode, ...input } = call.input as z.infer<typeof BatchInput>
  if (mode === 'atomic') {
    const receipt = await call.services.execute(postBatch as Command, { ...call, input })
    const { entries } = receipt.answer as { entries: object[] }
    const results = entries.map((entry, index) => ({
      index,
      status: 'posted',
      replayed: receipt.replayed,
      entry,
    }))
    return { body: { mode, results }, headers: call.services.receiptHeaders(receipt) }
  }
  const outcomes = await Promise.all(
    input.entries.map((entry, index) => {
      const key = call.key === undefined ? undefined : `${call.key}:${index}`
      return postOne(call, index, { book: input.book, ...entry }, key)
    }),
  )
  return {
    body: { mode, results: outcomes.map(({ result }) => result) },
    headers: newest(outcomes),
  }
}

const MAX_LINE_BYTES = 65_536

const tooLong = problem('BODY_TOO_LARGE', `A line may have ${MAX_LINE_BYTES} bytes.`)

const ImportLine = EntryInput.extend({
  key: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'a key is 1 to 128 visible ASCII characters'),
})

const importLine = async (call: Call, index: number, line: string | undefined): Promise<object> => {
  const refused = (found: Problem) => ({ index, status: 'refused', problem: found })
  if (line === undefined) return refused(tooLong)
  try {
    const parsed = ImportLine.safeParse(parseJson(line))
    if (!parsed.success) return refused(invalidRequest(parsed.error))
    const { key, ...entry } = parsed.data
    const { book: into } = call.input as { book: string }
    return (await postOne(call, index, { book: into, ...entry }, key)).result
  } catch (error) {
    if (error instanceof ProblemError) return refused(error.problem)
    throw error
  }
}

const exampleEntry = (amount: string) => ({
  kind: 'deposit',
  lines: [
    { account: 'cash:vault', direction: 'debit', amount },
    { account: 'customers:1:checking', direction: 'credit', amount },
  ],
})

export const batchRoutes: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/books/{book}/batches',
    tag,
    summary: 'Post many entries at once',
    description:
      '`atomic`: all or none, as one event. `independent`: each on its own, with a result each; ' +
      'with an Idempotency-Key, each entry gets a key of its own from it.',
    permission: postBatch.permission,
    input: BatchInput,
    source: 'body',
    status: 200,
    response: z.object({ mode: z.enum(['atomic', 'independent']), results: z.array(Result) }),
    headers: ['Idempotency-Key'],
    problems: ['BOOK_NOT_FOUND', 'BATCH_REFUSED', 'BATCH_TOO_LARGE', 'IDEMPOTENCY_KEY_REUSED'],
    example: {
      params: { book },
      body: { mode: 'atomic', entries: [exampleEntry('1000'), exampleEntry('2000')] },
    },
    furtherExamples: [
      { params: { book }, body: { mode: 'independent', entries: [exampleEntry('3000')] } },
    ],
    run: runBatch,
  },
  {
    method: 'post',
    path: '/v1/books/{book}/import',
    tag,
    summary: 'Import entries as a stream of lines',
    description:
      'NDJSON in, NDJSON out: an entry with its own `key` on each line, a result on each line. ' +
      'Sending the same lines again changes nothing. Read the results while you send.',
    permission: postEntry.permission,
    input: z.strictObject({ book: BookId }),
    source: 'stream',
    status: 200,
    response: Result,
    contentType: 'application/x-ndjson',
    problems: ['BOOK_NOT_FOUND'],
    example: { params: { book }, body: { key: 'row-1', ...exampleEntry('4000') } },
    run: async (call) => ({
      stream: answerLines(call.request.body, MAX_LINE_BYTES, async (line, index) => {
        return `${JSON.stringify(await importLine(call, index, line))}\n`
      }),
    }),
  },
]
