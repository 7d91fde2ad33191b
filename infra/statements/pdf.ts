import { setImmediate } from 'node:timers/promises'
import {
  closeStatement,
  drawRow,
  openStatement,
  type Statement,
  type StatementFoot,
  type StatementHead,
  type StatementRow,
} from './layout.ts'
import { untilAborted, type Written, writeWhole } from './written.ts'

export type { StatementFoot, StatementHead, StatementRow } from './layout.ts'

export type WrittenStatement = Written & { readonly pages: number }

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
  const statement = openStatement(head)
  const pages = () => draw({ statement, rows: untilAborted(rows, signal), foot })
  const written = await writeWhole(path, pages, signal)
  return { ...written, pages: statement.sheet.page }
}
