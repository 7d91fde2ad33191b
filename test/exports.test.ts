import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { requestExport } from '../commands/exports.ts'
import { execute } from '../commands/kernel.ts'
import { postTransfer } from '../commands/ledger/index.ts'
import type { Ports } from '../commands/ports.ts'
import { Export } from '../domain/exports.ts'
import type { EventStore } from '../domain/log.ts'
import { EventStoreUnavailable } from '../infra/eventstore/errors.ts'
import { type ExporterOptions, pathOfExport, startExporter } from '../infra/exports/index.ts'
import { csv, ndjson } from '../infra/exports/rows.ts'
import { exportBook, getExport, listExports } from '../projections/exports.ts'
import { doing, hour, liveThrough } from './audit-support.ts'
import { mountSmallDisk, temporaryDirectory, until } from './infra-support.ts'
import { accepted, codeOf, given, typesIn, useWorld } from './people-support.ts'

/** The contents of a zip, by name, in the order of its directory. */
const unzip = (zip: Buffer): Map<string, Buffer> => {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'))
  const contents = new Map<string, Buffer>()
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    const local = zip.readUInt32LE(at + 42)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20))
    contents.set(name, inflateRawSync(packed))
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return contents
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const quiet = { info: () => undefined, error: () => undefined }
const regulator = { id: 'regulator', roles: ['regulator'] } as const
const january = { book: 'main', from: '2026-01-10', to: '2026-01-11' }

describe('an export', () => {
  const world = useWorld()
  let lived: string
  beforeAll(async () => {
    await liveThrough(world.ports, 'main')
    lived = String((await world.ports.store.head())?.commit)
  })

  const request = async (input: object, ports: Ports = world.ports) => {
    const parsed = requestExport.input.parse({ ...january, ...input })
    return accepted(await execute(ports, requestExport, parsed, world.context(regulator))).answer
  }

  const exporter = (directory: string, more: Partial<ExporterOptions> = {}) => {
    const stopping = new AbortController()
    const options = { ports: world.ports, directory, version: '1.2.3', log: quiet }
    const { ended, progressOf } = startExporter({ ...options, signal: stopping.signal, ...more })
    const stop = async () => {
      stopping.abort()
      await ended
    }
    onTestFinished(stop)
    return { stop, ended, progressOf }
  }

  const statusOf = async (id: string): Promise<string | undefined> =>
    (await typesIn(world.ports.store, `export-${id}`)).at(-1)

  const completed = async (id: string, directory: string): Promise<Buffer> => {
    await until('the export has ended', async () => (await statusOf(id)) !== 'ExportRequested')
    expect(await statusOf(id)).toBe('ExportCompleted')
    return readFileSync(pathOfExport(directory, id))
  }

  const lastData = async (id: string): Promise<Record<string, unknown>> => {
    let data: unknown
    for await (const event of world.ports.store.readStream(`export-${id}`)) data = event.data
    return data as Record<string, unknown>
  }

  it('is the same, byte for byte, whenever it is made of the same position', async () => {
    const directory = temporaryDirectory()
    exporter(directory)
    const first = await request({})
    const bytes = await completed(first.export, directory)
    const input = { book: 'main', from: 'cash', to: 'customers:ben', amount: '7' }
    await doing(world.ports)(postTransfer, { ...input, value_date: '2026-01-11' }, hour(70))
    const again = await request({ position: first.position })
    expect(again.export).not.toBe(first.export)
    expect(await completed(again.export, directory)).toEqual(bytes)
    const later = await request({})
    expect(await completed(later.export, directory)).not.toEqual(bytes)
  })

  it('is the same in another time zone', async () => {
    const zone = process.env.TZ
    onTestFinished(() => {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    })
    const made: Buffer[] = []
    let position: string | undefined
    for (const place of ['Asia/Tokyo', 'America/Caracas']) {
      process.env.TZ = place
      const directory = temporaryDirectory()
      const running = exporter(directory)
      const asked = await request(position === undefined ? {} : { position })
      position = asked.position
      made.push(await completed(asked.export, directory))
      await running.stop()
    }
    expect(made[0]).toEqual(made[1])
  })

  it('holds what its manifest says', async () => {
    const directory = temporaryDirectory()
    exporter(directory)
    const { export: id, position } = await request({})
    const zip = await completed(id, directory)
    const contents = unzip(zip)
    const names = ['journal.csv', 'journal.ndjson', 'trial_balance.csv', 'trial_balance.ndjson']
    expect([...contents.keys()]).toEqual([...names, 'manifest.json'])
    const manifest = JSON.parse(String(contents.get('manifest.json')))
    expect(manifest).toMatchObject({
      ...{ product: 'daybook', version: '1.2.3', book: 'main', format: 'both', position },
      period: { from: '2026-01-10', to: '2026-01-11' },
    })
    expect(manifest.files.map(({ name }: { name: string }) => name)).toEqual(names)
    for (const { name, bytes, rows, sha256: digest } of manifest.files) {
      const content = contents.get(name) ?? Buffer.alloc(0)
      expect([name, sha256(content), content.length]).toEqual([name, digest, bytes])
      const lines = String(content).trimEnd().split('\n').length
      expect([name, name.endsWith('.csv') ? lines - 1 : lines]).toEqual([name, rows])
    }
    const said = await lastData(id)
    expect(said).toMatchObject({ sha256: sha256(zip), bytes: zip.length, files: manifest.files })
    expect(said.totals).toEqual(manifest.totals)
  })

  it('balances: opening, movements and closing, on both sides, for each asset', async () => {
    const directory = temporaryDirectory()
    exporter(directory)
    const { export: id } = await request({ from: '2026-01-11', position: lived })
    const contents = unzip(await completed(id, directory))
    const { totals } = JSON.parse(String(contents.get('manifest.json')))
    expect(totals).toEqual([
      {
        asset: 'KES/2',
        opening: { debit: '0', credit: '0' },
        movements: { debit: '129000', credit: '129000' },
        closing: { debit: '129000', credit: '129000' },
      },
      {
        asset: 'USD/2',
        opening: { debit: '150000', credit: '150000' },
        movements: { debit: '3885', credit: '3885' },
        closing: { debit: '150000', credit: '150000' },
      },
    ])
    const rows = parse(contents.get('trial_balance.csv') ?? '', { columns: true }) as Row[]
    const ann = rows.find(({ account }) => account === 'customers:ann')
    expect(ann).toEqual({
      ...{ account: 'customers:ann', name: "'=customers:ann", type: 'liability', asset: 'USD/2' },
      ...{ opening_minor: '100000', opening: '1000.00', debit_minor: '2825', debit: '28.25' },
      ...{ credit_minor: '0', credit: '0.00', closing_minor: '97175', closing: '971.75' },
    })
    const exchange = rows.find(({ account }) => account === 'exchange')
    expect(exchange).toMatchObject({ closing_minor: '-1000', closing: '-10.00' })
    const journal = parse(contents.get('journal.csv') ?? '', { columns: true }) as Row[]
    const debits = journal.filter(({ direction }) => direction === 'debit')
    const usd = debits.filter(({ asset }) => asset === 'USD/2')
    expect(usd.reduce((sum, row) => sum + Number(row.amount_minor), 0)).toBe(3885)
    const lines = String(contents.get('journal.ndjson')).trimEnd().split('\n')
    const plain = lines.map((line) => Object.values(JSON.parse(line)).map((cell) => cell ?? ''))
    const unguarded = journal.map((row) => Object.values(row).map((cell) => cell.replace(/^'/, '')))
    expect(plain.map((cells) => cells.map(String))).toEqual(unguarded)
  })

  it('takes the format that is asked for, and an empty period', async () => {
    const directory = temporaryDirectory()
    exporter(directory)
    const { export: id } = await request({ format: 'csv', from: '2025-01-01', to: '2025-12-31' })
    const contents = unzip(await completed(id, directory))
    expect([...contents.keys()]).toEqual(['journal.csv', 'trial_balance.csv', 'manifest.json'])
    expect(String(contents.get('journal.csv'))).toMatch(/^position,revision,[a-z_,]+\r\n$/)
    expect(JSON.parse(String(contents.get('manifest.json'))).totals[1].closing.debit).toBe('0')
  })

  it('is made by the next process when one ends in the middle', async () => {
    const directory = temporaryDirectory()
    const stopping = new AbortController()
    const { signal } = stopping
    const first = exporter(directory, {
      signal,
      onProgress: (_id, { stage }) => {
        if (stage === 'packing') stopping.abort()
      },
    })
    const { export: id, position } = await request({})
    await first.ended
    expect(await statusOf(id)).toBe('ExportRequested')
    expect(readdirSync(directory)).toEqual([])
    // As a process leaves it that was killed.
    const unfinished = join(directory, `${id}.unfinished`)
    mkdirSync(unfinished)
    writeFileSync(join(unfinished, 'journal.csv'), 'half')
    writeFileSync(join(unfinished, 'export.zip.part'), 'half')

    exporter(directory)
    const bytes = await completed(id, directory)
    const untroubled = await request({ position })
    expect(await completed(untroubled.export, directory)).toEqual(bytes)
    expect(readdirSync(directory).sort()).toEqual([`${id}.zip`, `${untroubled.export}.zip`].sort())
  })

  it('outlives an event store that is out of reach for a while', async () => {
    const directory = temporaryDirectory()
    let refusals = 0
    const flaky = (store: EventStore): EventStore => ({
      ...store,
      readStream: (stream, options) => {
        if (stream === 'book-main' && refusals < 2) {
          refusals += 1
          throw new EventStoreUnavailable('gone')
        }
        return store.readStream(stream, options)
      },
    })
    const { export: id } = await request({})
    exporter(directory, { ports: world.anotherProcess(flaky) })
    await completed(id, directory)
    expect(refusals).toBe(2)
  })

  it('fails with a reason and leaves nothing when the disk is full', async ({ skip }) => {
    const directory = temporaryDirectory()
    if (!mountSmallDisk(directory, 'size=8k')) skip('cannot mount a small disk here')
    exporter(directory)
    const { export: id } = await request({})
    await until('the export has ended', async () => (await statusOf(id)) !== 'ExportRequested')
    expect(await statusOf(id)).toBe('ExportFailed')
    const { reason } = await lastData(id)
    expect(reason).toBe('The export could not be written: the disk is full.')
    expect(readdirSync(directory)).toEqual([])
    expect(existsSync(pathOfExport(directory, id))).toBe(false)
  })

  it('shows its progress while it is made, and its state in the read model', async () => {
    const directory = temporaryDirectory()
    const updated = await world.project([exportBook])
    const { vault } = world.ports
    world.advance(1000)
    const asker = { id: 'r', reach: 'all', at: new Date() } as const
    const seen: string[] = []
    const running = exporter(directory, {
      onProgress: (id, { stage }) => {
        if (running.progressOf(id)?.stage === stage) seen.push(stage)
      },
    })
    const { export: id, position } = await request({ format: 'ndjson' })
    const zip = await completed(id, directory)
    await until('it is over', () => running.progressOf(id) === undefined)
    expect(seen).toEqual(['reading', 'packing'])
    await updated(await world.ports.store.head())
    const view = await getExport.run(world.database, { export: id }, asker, vault)
    expect(view).toMatchObject({
      ...{ export: id, ...january, position, status: 'completed', requested_by: 'regulator' },
      ...{ sha256: sha256(zip), bytes: zip.length, reason: null },
    })
    expect(view?.files.map(({ name }) => name)).toEqual(['journal.ndjson', 'trial_balance.ndjson'])
    const page = await listExports.run(
      world.database,
      { status: 'completed', limit: 2 },
      asker,
      vault,
    )
    expect(page.items[0]?.export).toBe(id)
    const cursor = page.next_cursor ?? ''
    const rest = await listExports.run(world.database, { limit: 200, cursor }, asker, vault)
    expect(rest.items.map((one) => one.export)).not.toContain(id)
  })

  it('is asked for by those who may, of books there are, of periods in their order', async () => {
    const input = requestExport.input.parse(january)
    const ask = (roles: ('analyst' | 'regulator')[], more: object = {}) =>
      execute(world.ports, requestExport, { ...input, ...more }, world.context({ id: 'x', roles }))
    expect(codeOf(await ask(['analyst']))).toBe('NOT_PERMITTED')
    expect(codeOf(await ask(['regulator'], { book: 'nowhere' }))).toBe('BOOK_NOT_FOUND')
    const backwards = requestExport.input.safeParse({ ...january, from: '2026-02-01' })
    expect(backwards.error?.issues[0]?.path).toEqual(['to'])
  })

  it('is the same one when the request is repeated with its key', async () => {
    const input = requestExport.input.parse(january)
    const context = world.context(regulator, { key: 'once' })
    const first = accepted(await execute(world.ports, requestExport, input, context))
    const second = accepted(await execute(world.ports, requestExport, input, context))
    expect(second).toMatchObject({ answer: first.answer, replayed: true })
  })
})

type Row = Record<string, string>

describe('what may happen to an export', () => {
  const asked = {
    ...{ export: 'x', book: 'main', from: '2026-01-01', to: '2026-01-31', format: 'csv' as const },
    ...{ position: '5', requested_at: '2026-02-01T00:00:00.000Z' },
  }
  const made = { export: 'x', sha256: 'a'.repeat(64), bytes: 1, files: [], totals: [] }
  const done = { ...made, completed_at: '2026-02-01T00:00:01.000Z' }
  const failed = { export: 'x', reason: 'full', failed_at: '2026-02-01T00:00:01.000Z' }
  const requested = { type: 'ExportRequested', data: asked }
  const { request, complete, fail } = Export.decide

  it('is asked for once', () => {
    expect(request(given(Export, []), asked)).toEqual([requested])
    expect(codeOf(request(given(Export, [requested]), asked))).toBe('EXPORT_EXISTS')
  })

  it('ends once, one way or the other', () => {
    const running = given(Export, [requested])
    expect(complete(running, done)).toEqual([{ type: 'ExportCompleted', data: done }])
    expect(fail(running, failed)).toEqual([{ type: 'ExportFailed', data: failed }])
    const over = given(Export, [requested, { type: 'ExportCompleted', data: done }])
    expect(complete(over, done)).toEqual([])
    expect(codeOf(fail(over, failed))).toBe('EXPORT_NOT_RUNNING')
    const lost = given(Export, [requested, { type: 'ExportFailed', data: failed }])
    expect(fail(lost, failed)).toEqual([])
    expect(codeOf(complete(lost, done))).toBe('EXPORT_NOT_RUNNING')
  })
})

describe('the files', () => {
  it.each(['=1+1', '+1', '-1', '@a', '\tx', '\rx'])('guards the text %j in CSV only', (text) => {
    const [cell] = parse(csv.encode(['text'], [{ text }]), { relax_quotes: true })[0] ?? []
    expect(cell).toBe(`'${text}`)
    expect(ndjson.encode(['text'], [{ text }])).toBe(`${JSON.stringify({ text })}\n`)
  })

  it('leaves numbers below zero numbers', () => {
    const row = { minor: -1234n, amount: { decimal: '-12.34' }, line: 3, nothing: null }
    expect(csv.encode(Object.keys(row), [row])).toBe('-1234,-12.34,3,\r\n')
    expect(JSON.parse(ndjson.encode(Object.keys(row), [row]))).toEqual({
      ...{ minor: '-1234', amount: '-12.34', line: 3, nothing: null },
    })
  })

  it('quotes what RFC 4180 wants quoted', () => {
    const rows = [{ a: 'x, y', b: 'say "so"', c: 'two\nlines' }]
    expect(csv.encode(['a', 'b', 'c'], rows)).toBe('"x, y","say ""so""","two\nlines"\r\n')
  })
})
