import { setTimeout as wait } from 'node:timers/promises'
import type { EventSchemas } from '../../domain/kernel.ts'
import type { EventStore, Recorded } from '../../domain/log.ts'
import type { Build } from '../../projections/builds.ts'
import type { Projection } from '../../projections/kernel.ts'
import { accountBook, holdBook } from '../../projections/ledger/index.ts'
import type { Database, Table } from '../../projections/table.ts'
import { checkAcross, checkTables, createLogChecks, type LogChecks } from './checks.ts'
import { later, lead } from './follower.ts'
import {
  checkSums,
  compareLedger,
  countOf,
  createLedgerFold,
  type LedgerFold,
  ledgerTables,
} from './ledger.ts'
import { createFindings, type Figures, type Findings, type Report } from './report.ts'
import {
  aim,
  compareProjection,
  createReprojection,
  furthest,
  type Reprojection,
} from './reprojection.ts'
import { openScratch, openSnapshot, readBuildsIfAny, type Scratch } from './scratch.ts'

export type VerifyProgress = {
  readonly stage: 'waiting' | 'folding' | 'comparing'
  /** Events read so far. */
  readonly events: number
  /** Of the stage, between 0 and 1. */
  readonly done: number
}

export type VerifyOptions = {
  readonly store: EventStore
  readonly database: Database
  /** The read models to compare; the ledger's own fold is compared with accounts and holds. */
  readonly projections: readonly Projection[]
  /** Every event type that may be in the log. */
  readonly schemas: EventSchemas
  readonly signal: AbortSignal
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined
  /** How long to wait for projections that are behind. Default: 30,000. */
  readonly patience_ms?: number
}

const PATIENCE_MS = 30_000
const LOOK_EVERY_MS = 50

type Audit = VerifyOptions & {
  readonly scratch: Scratch
  readonly findings: Findings
  readonly checks: LogChecks
  readonly ledger: LedgerFold
  readonly targets: readonly Reprojection[]
  /** The end of the log when the audit began. */
  readonly head: bigint
}

const isHandledBy =
  ({ type }: Recorded) =>
  ({ on, every }: Projection): boolean =>
    every !== undefined || Object.hasOwn(on, type)

/** The last event that any of the projections handles: where they stand when they are up to date. */
const lastHandled = async ({ store, projections, signal }: VerifyOptions): Promise<bigint> => {
  for await (const event of store.readAll({ direction: 'backwards', signal })) {
    if (projections.some(isHandledBy(event))) return event.position.commit
  }
  return 0n
}

/** What is not up to date yet and may become so, one line each. */
const behindOf = (options: VerifyOptions, builds: readonly Build[], target: bigint): string[] =>
  options.projections.flatMap(({ name, version }) => {
    const build = builds.find((one) => one.name === name && one.status !== 'building')
    if (!build || build.version !== version) return [`${name} ${version} has not been built yet`]
    const { status, position } = build
    if (status === 'stopped' || position.commit >= target) return []
    return [`${name} stands at ${position.commit}, behind ${target}: compared as it stands`]
  })

/** Waits for the projections, but not forever. Answers what is still behind. */
const awaitProjections = async (options: VerifyOptions): Promise<string[]> => {
  const { database, signal, onProgress, patience_ms = PATIENCE_MS } = options
  const target = await lastHandled(options)
  const started = Date.now()
  for (;;) {
    const behind = behindOf(options, await readBuildsIfAny(database), target)
    const waited = Date.now() - started
    if (behind.length === 0 || waited >= patience_ms) return behind
    onProgress?.({ stage: 'waiting', events: 0, done: waited / patience_ms })
    await wait(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** Brings everything that folds to where the read models stand. Answers what cannot be compared. */
const advance = async (audit: Audit, builds: readonly Build[]): Promise<Map<string, string>> => {
  const { store, targets, checks, ledger, head, signal, onProgress } = audit
  const obstacles = new Map<string, string>()
  for (const target of targets) {
    const obstacle = aim(target, builds)
    if (obstacle !== undefined) obstacles.set(target.projection.name, obstacle)
  }
  const stand = furthest(targets)
  ledger.until = stand
  checks.until = later(stand, head)
  const end = Number(checks.until)
  await lead(store, [checks, ledger, ...targets], signal, (page) => {
    const at = Number(page.at(-1)?.position.commit ?? end)
    onProgress?.({ stage: 'folding', events: checks.figures.events, done: at / end })
  })
  return obstacles
}

const tablesIn =
  (projections: readonly Projection[]) =>
  ({ name, version }: Build): readonly Table[] =>
    projections.find((one) => one.name === name && one.version === version)?.tables ?? []

const compareAll = async (audit: Audit): Promise<Record<string, number>> => {
  const { targets, ledger, scratch, findings, checks, signal, onProgress } = audit
  const tell = (done: number): void =>
    onProgress?.({ stage: 'comparing', events: checks.figures.events, done })
  const rows: Record<string, number> = {}
  for (const [index, target] of targets.entries()) {
    signal.throwIfAborted()
    tell(index / (targets.length + 1))
    Object.assign(rows, await compareProjection(target, scratch, findings))
  }
  tell(targets.length / (targets.length + 1))
  const buildOf = ({ name }: Projection): Build | undefined =>
    targets.find(({ projection }) => projection.name === name)?.build
  const accounts = buildOf(accountBook)
  const holds = buildOf(holdBook)
  const same = accounts?.position.commit === holds?.position.commit
  if (accounts && holds && same && accounts.position.commit === ledger.until) {
    const builds = { accounts: accounts.build, holds: holds.build }
    Object.assign(rows, await compareLedger(ledger, scratch, builds, findings))
  } else {
    const expected = 'accounts and holds at one log position'
    const actual = `${accounts?.position.commit ?? 'none'} and ${holds?.position.commit ?? 'none'}`
    findings.add({ what: 'ledger', where: 'read models', expected, actual })
  }
  tell(1)
  return rows
}

const figuresOf = (
  { checks, ledger, targets }: Audit,
  rows: Record<string, number>,
  duration_ms: number,
): Figures => ({
  ...checks.figures,
  position: furthest(targets).toString(),
  streams: checks.streams.size,
  books: ledger.books.size,
  accounts: countOf(ledger, ({ state }) => state.accounts.rows.size),
  open_holds: countOf(ledger, ({ state }) => state.holds.rows.size),
  rows,
  duration_ms,
})

/**
 * Proves the read models from the log in two ways: every projection is done again and compared row
 * by row, and the ledger's own decider folds every book, whose accounts and holds must be the same.
 * Beside that, all that must hold of the log and of the sums. Postgres is only written to in
 * temporary tables. Works on a live system: all comparing is done as of where the read models
 * stand in one snapshot. Throws when the log or Postgres cannot be read, or when aborted.
 */
export const verify = async (options: VerifyOptions): Promise<Report> => {
  const started = performance.now()
  const { store, database, projections, schemas } = options
  const head = (await store.head())?.commit ?? 0n
  const remarks = await awaitProjections(options)
  const scratch = await openScratch(database)
  try {
    await scratch.need([...checkTables, ...ledgerTables])
    const findings = createFindings()
    const checks = createLogChecks(scratch, schemas, findings)
    const ledger = createLedgerFold(findings)
    const targets = projections.map((one) => createReprojection(one, scratch, findings))
    const audit: Audit = { ...options, scratch, findings, checks, ledger, targets, head }
    // Most of the history before the snapshot is taken, so that it is held for a short time only.
    const now = await readBuildsIfAny(database)
    await advance(
      audit,
      now.filter(({ status }) => status !== 'building'),
    )
    const snapshot = await openSnapshot(scratch.sql, tablesIn(projections))
    const obstacles = await advance(audit, snapshot.builds)
    for (const [name, actual] of obstacles) {
      findings.add({ what: 'projection', where: name, expected: 'up to date', actual })
    }
    checkSums(ledger, findings)
    await checkAcross(scratch, findings)
    const rows = await compareAll(audit)
    await snapshot.release()
    const figures = figuresOf(audit, rows, Math.round(performance.now() - started))
    return { figures, remarks, differences: findings.differences() }
  } finally {
    scratch.close()
  }
}
