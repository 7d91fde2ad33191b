import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import canonicalize from 'canonicalize'
import type {
  ControlTotals,
  ExportedFile,
  ExportFormat,
  ExportRequest,
} from '../../domain/exports.ts'
import { type Decoded, decode } from '../../domain/kernel.ts'
import { entriesOf } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { EventStore } from '../../domain/log.ts'
import { syncDirectoryOf } from '../files.ts'
import { type Content, packZip } from './archive.ts'
import { type Output, openOutput } from './output.ts'
import {
  controlTotals,
  countEntry,
  journalColumns,
  journalRow,
  openAccountIn,
  type Period,
  trialBalanceColumns,
  trialBalanceRows,
} from './period.ts'
import { csv, type Encoding, type ExportRow, ndjson } from './rows.ts'

export type ExportProgress = {
  readonly stage: 'reading' | 'packing'
  readonly events: number
  /** Events of the book when this began: at least as many as will be read. */
  readonly of: number
}

export type MakeOptions = {
  readonly store: EventStore
  /** Where the zip goes; what is unfinished lies there too, under another name. */
  readonly directory: string
  readonly request: ExportRequest
  /** The product's, for the manifest. */
  readonly version: string
  readonly signal: AbortSignal
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined
}

export type MadeExport = {
  readonly sha256: string
  readonly bytes: number
  readonly files: ExportedFile[]
  readonly totals: ControlTotals[]
}

export const pathOfExport = (directory: string, id: string): string => join(directory, `${id}.zip`)
export const UNFINISHED = '.unfinished'

const encodingsOf: Readonly<Record<ExportFormat, readonly Encoding[]>> = {
  csv: [csv],
  ndjson: [ndjson],
  both: [csv, ndjson],
}

const TELL_EVERY = 1000

const writeAll = async (outputs: readonly Output[], row: ExportRow): Promise<void> => {
  for (const output of outputs) await output.write(row)
}

const writeEvent = async (
  period: Period,
  event: Decoded,
  journal: readonly Output[],
): Promise<void> => {
  if (event.type === 'AccountOpened') {
    openAccountIn(period, event.data as Parameters<typeof openAccountIn>[1])
  }
  const { revision, position } = event
  let line = 0
  for (const entry of entriesOf(event)) {
    const isInside = countEntry(period, entry)
    for (const one of entry.lines) {
      const at = { position: position.commit, revision, line }
      if (isInside) await writeAll(journal, journalRow(period, at, entry, one))
      line += 1
    }
  }
}

/** Reads the book up to the request's position; the journal is written on the way. */
const readBook = async (options: MakeOptions, journal: readonly Output[]): Promise<Period> => {
  const { store, request, signal, onProgress } = options
  const { from, to } = request
  const until = BigInt(request.position)
  const stream = `${Ledger.category}-${request.book}`
  const period: Period = { from, to, accounts: new Map() }
  let of = 0
  for await (const last of store.readStream(stream, { direction: 'backwards', limit: 1, signal })) {
    of = last.revision + 1
  }
  let events = 0
  for await (const recorded of store.readStream(stream, { signal })) {
    if (recorded.position.commit > until) break
    await writeEvent(period, decode(Ledger.schemas, recorded), journal)
    events += 1
    if (events % TELL_EVERY === 0) onProgress?.({ stage: 'reading', events, of })
  }
  signal.throwIfAborted()
  onProgress?.({ stage: 'packing', events, of })
  return period
}

const manifestOf = (
  { request, version }: MakeOptions,
  files: readonly ExportedFile[],
  totals: readonly ControlTotals[],
): Buffer => {
  const { book, from, to, format, position } = request
  const manifest = {
    ...{ manifest: 1, product: 'daybook', version },
    ...{ book, period: { from, to }, format, position, files, totals },
  }
  return Buffer.from(canonicalize(manifest) ?? '')
}

type Written = Pick<MadeExport, 'files' | 'totals'>

const writeFiles = async (options: MakeOptions, scratch: string): Promise<Written> => {
  const encodings = encodingsOf[options.request.format]
  const outputs: Output[] = []
  const openAll = async (name: string, columns: readonly string[]): Promise<Output[]> => {
    const opened: Output[] = []
    for (const encoding of encodings) {
      const output = await openOutput(scratch, name, columns, encoding)
      outputs.push(output)
      opened.push(output)
    }
    return opened
  }
  try {
    const journal = await openAll('journal', journalColumns)
    const trialBalance = await openAll('trial_balance', trialBalanceColumns)
    const period = await readBook(options, journal)
    for (const row of trialBalanceRows(period)) await writeAll(trialBalance, row)
    const files: ExportedFile[] = []
    for (const output of outputs) files.push(await output.finish())
    return { files, totals: controlTotals(period) }
  } finally {
    for (const output of outputs) await output.close()
  }
}

/**
 * Makes the zip of one request. The same request at the same position gives the same bytes, since
 * nothing goes into it but the log and the version. Under its name there is never half a file.
 * Rejects with the file system's error, with what is wrong in the log, or when aborted.
 */
export const makeExport = async (options: MakeOptions): Promise<MadeExport> => {
  const { directory, request, signal } = options
  const path = pathOfExport(directory, request.export)
  const scratch = join(directory, `${request.export}${UNFINISHED}`)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  try {
    const { files, totals } = await writeFiles(options, scratch)
    const contents: Content[] = files.map(({ name }) => ({ name, from: join(scratch, name) }))
    contents.push({ name: 'manifest.json', from: manifestOf(options, files, totals) })
    const part = join(scratch, 'export.zip.part')
    const { sha256, bytes } = await packZip(part, contents, signal)
    await rename(part, path)
    await syncDirectoryOf(path)
    return { sha256, bytes, files, totals }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
