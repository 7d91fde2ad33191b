import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Statements } from '../../api/services.ts'
import { Overloaded } from '../../commands/engine.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { completeStatement, failStatement, lookAtStatement } from '../../commands/statements.ts'
import type { Freshness } from '../../projections/freshness.ts'
import { openFile, openWorkshop } from '../files.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import { drawStatement } from './drawing.ts'
import { PART } from './written.ts'

export type MakerOptions = {
  readonly ports: Ports
  readonly database: Pool
  readonly freshness: Freshness
  /** Of this process alone; created when missing. */
  readonly directory: string
  readonly log: Log
  readonly signal: AbortSignal
}

/** At once: each is drawn page by page between other work. */
const AT_ONCE = 2
const MAX_WAITING = 100
/** Left behind, taken up together: fewer than may wait, so that new ones are not turned away. */
const PORTION = 20

type Making = MakerOptions & { readonly progress: Map<string, number> }

const makeOne = async (making: Making, statement: string): Promise<void> => {
  const { ports, log, signal, progress } = making
  const { status, request } = await lookAtStatement(ports, statement)
  if (status !== 'requested' || !request) return
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  progress.set(statement, 0)
  try {
    const path = join(making.directory, request.file)
    const onPart = (part: number) => progress.set(statement, part)
    const made = await drawStatement(making, request, path, onPart)
    await execute(ports, completeStatement, made, context)
  } catch (error) {
    // Ended in the middle, it is still asked for, and is made at the next start.
    if (signal.aborted) throw error
    log.error({ statement, error: String(error) }, 'a statement could not be made')
    const reason = 'It could not be written; the log of the server says why.'
    await execute(ports, failStatement, { statement, reason }, context)
  } finally {
    progress.delete(statement)
  }
}

/** Statements that were asked for and never made, a portion after another. */
async function* leftBehind({ database }: MakerOptions) {
  for (let after = ''; ; ) {
    const { rows } = await database.query<{ statement: string }>(
      `select statement from statements where status = 'requested' and statement > $1
       order by statement limit ${PORTION}`,
      [after],
    )
    const last = rows.at(-1)
    if (!last) return
    yield rows.map(({ statement }) => statement)
    after = last.statement
  }
}

/**
 * Makes statements in this process, a few at a time, and goes on with those that an earlier process
 * left. `settled` resolves when none is being made any more.
 */
export const createStatementMaker = async (
  options: MakerOptions,
): Promise<Statements & { readonly settled: () => Promise<void> }> => {
  const { directory } = options
  await openWorkshop(directory, PART)
  const making: Making = { ...options, progress: new Map() }
  const underWay = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  let running = 0

  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    if (waiting.length >= MAX_WAITING) throw new Overloaded('too many statements are being made')
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
    running += 1
    try {
      await work()
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }
  const make = (statement: string): Promise<void> => {
    const known = underWay.get(statement)
    if (known) return known
    const made = inTurn(() => makeOne(making, statement)).finally(() => underWay.delete(statement))
    underWay.set(statement, made)
    return made
  }
  const settled = async (): Promise<void> => {
    await Promise.allSettled([...underWay.values()])
  }
  const goOn = async (): Promise<void> => {
    for await (const portion of leftBehind(options)) {
      if (options.signal.aborted) return
      await Promise.all(portion.map(make))
    }
  }
  goOnWith('statements', options, goOn)
  return {
    make,
    progressOf: (statement) => making.progress.get(statement),
    open: (file) => openFile(join(directory, file)),
    settled,
  }
}
