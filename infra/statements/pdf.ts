import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { createScale, syncDirectoryOf } from '../files.ts'
import {
  closeStatement,
  drawRow,
  openStatement,
  type Statement,
  type StatementFoot,
  type StatementHead,
  type StatementRow,
} from './layout.ts'

export type { StatementFoot, StatementHead, StatementRow } from './layout.ts'

export type WrittenStatement = {
  readonly bytes: number
  readonly sha256: string
  readonly pages: number
}

/** How the files end that are not finished, or never will be. */
export const PART = '.part'

/** The next portion, or a rejection at an abort, which need not wait for rows that never come. */
const nextOf = <T>(rows: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const over = () => signal.removeEventListener('abort', stop)
    rows.next().then(resolve, reject).finally(over)
  })

const untilAborted = async function* <T>(rows: AsyncIterable<T>, signal: AbortSignal) {
  const iterator = rows[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await nextOf(iterator, signal)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited, since it stands in line behind a portion that may never come.
    iterator.return?.().catch(() => undefined)
  }
}

type Contents = {
  readonly statement: Statement
  readonly rows: AsyncIterable<readonly StatementRow[]>
  readonly foot: () => StatementFoot
}

/** What pdfkit has finished since it was last asked: some whole pages, or nothing. */
const finished = ({ sheet }: Statement): Buffer | null => sheet.document.read() as Buffer | null

/** Draws at the pace of the reader; there is one portion of rows and one of pages at a time. */
const draw = async function* ({ statement, rows, foot }: Contents): AsyncGenerator<Buffer> {
  for await (const portion of rows) {
    for (const row of portion) {
      drawRow(statement, row)
      const bytes = finished(statement)
      if (!bytes) continue
      yield bytes
      // Drawing a page takes a while, and others in this process want their turn, aborts too.
      await setImmediate()
    }
  }
  closeStatement(statement, foot())
  const rest = finished(statement)
  if (rest) yield rest
}

const writePart = async (
  part: string,
  { statement, rows, foot }: Contents,
  signal: AbortSignal,
): Promise<Pick<WrittenStatement, 'bytes' | 'sha256'>> => {
  // Opened before the stream is, so that an abort cannot come between the two and leave a file.
  const handle = await open(part, 'wx', 0o600)
  const scale = createScale()
  const pages = draw({ statement, rows: untilAborted(rows, signal), foot })
  await pipeline(pages, scale.through, handle.createWriteStream({ flush: true }), { signal })
  return scale.weight()
}

/**
 * Writes the statement of an account to `path`. Rows come in portions and are never all in
 * memory; `foot` is asked after the last one. The same input gives the same bytes. Under its name
 * there is never half a file. Rejects with what the rows, the foot or the file system threw, or
 * with the reason of an abort, and leaves nothing then.
 */
export const writeStatement = async (
  path: string,
  head: StatementHead,
  rows: AsyncIterable<readonly StatementRow[]>,
  foot: () => StatementFoot,
  signal: AbortSignal,
): Promise<WrittenStatement> => {
  signal.throwIfAborted()
  // Of its own: another statement of the same days may be on its way to the same name.
  const part = `${path}.${randomUUID()}${PART}`
  try {
    const statement = openStatement(head)
    const { bytes, sha256 } = await writePart(part, { statement, rows, foot }, signal)
    signal.throwIfAborted()
    await rename(part, path)
    await syncDirectoryOf(path)
    return { bytes, sha256, pages: statement.sheet.page }
  } catch (error) {
    await rm(part, { force: true })
    signal.throwIfAborted()
    throw error
  }
}
