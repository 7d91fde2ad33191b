import { type Decoded, decode, type EventSchemas } from '../../domain/kernel.ts'
import { imbalanceOf } from '../../domain/ledger/balance.ts'
import { entriesOf } from '../../domain/ledger/events.ts'
import type { Recorded } from '../../domain/log.ts'
import type { TransactionScored } from '../../domain/risk.ts'
import { type Changes, createWriter, type Writer } from '../../projections/rows.ts'
import type { Table } from '../../projections/table.ts'
import { bookOfStream } from './fold.ts'
import type { Follower } from './follower.ts'
import { type Findings, messageOf } from './report.ts'
import type { Scratch } from './scratch.ts'

// Entries and scores are matched in Postgres, because there may be more than fit into memory.
const seenEntries: Table = {
  name: 'audit_entries',
  columns: { book: 'text', revision: 'bigint', ordinal: 'integer', entry: 'text' },
  key: ['book', 'revision', 'ordinal'],
}
const seenScores: Table = {
  name: 'audit_scores',
  columns: {
    stream: 'text',
    at: 'bigint',
    book: 'text',
    entry: 'text',
    revision: 'bigint',
  },
  key: ['stream', 'at'],
}

export const checkTables: readonly Table[] = [seenEntries, seenScores]

export type LogChecks = Follower & {
  readonly figures: {
    events: number
    entries: number
    lines: number
    periods: number
    scores: number
  }
  readonly streams: ReadonlyMap<string, number>
}

const noteEntries = (
  event: Decoded,
  rows: Writer,
  figures: LogChecks['figures'],
  findings: Findings,
): void => {
  const book = bookOfStream(event.stream)
  for (const [ordinal, entry] of entriesOf(event).entries()) {
    figures.entries += 1
    figures.lines += entry.lines.length
    for (const [asset, difference] of imbalanceOf(entry.lines)) {
      const where = `${event.stream}@${event.revision} entry=${entry.id} asset=${asset}`
      const actual = `debits - credits = ${difference}`
      findings.add({ what: 'entry balances', where, expected: 'debits - credits = 0', actual })
    }
    rows.put(seenEntries, { book, revision: event.revision, ordinal, entry: entry.id })
  }
}

const noteScore = ({ stream, revision: at, data }: Decoded, rows: Writer): void => {
  const { book, entry, revision } = data as TransactionScored
  rows.put(seenScores, { stream, at, book, entry, revision })
}

/**
 * What can be said of the log alone: positions rise, no stream skips a revision, every event passes
 * its schema, every entry balances. Of every stream it keeps the last revision in memory.
 */
export const createLogChecks = (
  scratch: Scratch,
  schemas: EventSchemas,
  findings: Findings,
): LogChecks => {
  const streams = new Map<string, number>()
  const figures = { events: 0, entries: 0, lines: 0, periods: 0, scores: 0 }
  let last = -1n

  const checkPlace = ({ stream, revision, position }: Recorded): void => {
    const where = `${stream}@${revision}`
    if (position.commit <= last) {
      const expected = `above ${last}`
      findings.add({ what: 'log position', where, expected, actual: `${position.commit}` })
    }
    last = position.commit
    const next = (streams.get(stream) ?? -1) + 1
    if (revision !== next) {
      findings.add({ what: 'revision', where, expected: `${next}`, actual: `${revision}` })
    }
    streams.set(stream, revision)
  }

  const check = (event: Recorded, changes: Changes): void => {
    figures.events += 1
    checkPlace(event)
    const rows = createWriter(changes, event.position.commit.toString())
    try {
      const decoded = decode(schemas, event)
      noteEntries(decoded, rows, figures, findings)
      if (decoded.type === 'PeriodClosed') figures.periods += 1
      if (decoded.type !== 'TransactionScored') return
      figures.scores += 1
      noteScore(decoded, rows)
    } catch (error) {
      const where = `${event.stream}@${event.revision}`
      const expected = `a valid ${event.type}`
      findings.add({ what: 'event schema', where, expected, actual: messageOf(error) })
    }
  }

  return {
    at: undefined,
    until: 0n,
    streams,
    figures,
    take: async (events) => {
      const changes: Changes = new Map()
      for (const event of events) check(event, changes)
      await scratch.write(changes)
    },
  }
}

type Fault = { where: string; actual: string }

/** What holds across streams: one entry of an id, one score of an entry, no score of nothing. */
export const checkAcross = async ({ sql }: Scratch, findings: Findings): Promise<void> => {
  const entries = 'pg_temp.audit_entries_b0'
  const scores = 'pg_temp.audit_scores_b0'
  await sql.query(`create index on ${entries} (book, entry)`)
  await sql.query(`analyze ${entries}; analyze ${scores}`)
  const faults: readonly { what: string; expected: string; select: string }[] = [
    {
      what: 'entry id',
      expected: 'one entry',
      select: `select 'book=' || book || ' entry=' || entry as where, count(*) || ' entries' as actual
        from ${entries} group by book, entry having count(*) > 1`,
    },
    {
      what: 'score',
      expected: 'at most one score',
      select: `select 'book=' || book || ' entry=' || entry as where, count(*) || ' scores' as actual
        from ${scores} group by book, entry having count(*) > 1`,
    },
    {
      what: 'score',
      expected: 'an entry of its book at the revision it names',
      select: `select s.stream || '@' || s.at as where,
          'book=' || s.book || ' entry=' || s.entry || ' revision=' || s.revision as actual
        from ${scores} s where not exists (select from ${entries} e
          where e.book = s.book and e.entry = s.entry and e.revision = s.revision)`,
    },
  ]
  for (const { what, expected, select } of faults) {
    const counted = await sql.query<{ total: string }>(
      `select count(*) as total from (${select}) faults`,
    )
    const total = Number(counted.rows[0]?.total)
    if (total === 0) continue
    const room = Math.min(findings.room(), total)
    const shown = await sql.query<Fault>(
      `select "where", actual from (${select}) faults order by 1, 2 limit ${room}`,
    )
    for (const fault of shown.rows) findings.add({ what, expected, ...fault })
    findings.count(total - room)
  }
}
