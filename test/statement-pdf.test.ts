import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { getDocumentProxy } from 'unpdf'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type StatementFoot,
  type StatementHead,
  type StatementRow,
  writeStatement,
} from '../infra/statements/pdf.ts'
import { mountSmallDisk, temporaryDirectory, until } from './infra-support.ts'

const head: StatementHead = {
  bank: 'Daybook Bank',
  holder: 'Omar Yılmaz',
  accountNumber: 'XXXX-XXXX-0001',
  accountType: 'Checking',
  period: 'Jan 1, 2026 - Jan 31, 2026',
  createdAt: new Date('2026-02-10T14:30:00.000Z'),
  opening: '$5,350.00',
}
const foot: StatementFoot = {
  totals: [
    ['Total deposits', '$1,200.00'],
    ['Total withdrawals', '-$450.50'],
    ['Fees', '-$3.00'],
  ],
  closing: '$6,096.50',
}
const header = ['Date', 'Description', 'Amount', 'Balance']
const never = new AbortController().signal

const rowOf = (n: number): StatementRow => ({
  date: `Jan ${1 + (n % 31)}, 2026`,
  description: `Cash Withdrawal ${n}`,
  amount: n % 3 === 0 ? `$${n}.00` : `-$${n}.25`,
  balance: `$5,${100 + (n % 900)}.75`,
})
const rowsOf = (count: number): StatementRow[] => Array.from({ length: count }, (_, n) => rowOf(n))

const inPortions = async function* (rows: readonly StatementRow[], size = 50) {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}

type Asked = {
  readonly path?: string
  readonly head?: Partial<StatementHead>
  readonly rows?: AsyncIterable<readonly StatementRow[]>
  readonly foot?: () => StatementFoot
  readonly signal?: AbortSignal
}
const made = async (asked: Asked = {}) => {
  const path = asked.path ?? join(temporaryDirectory(), 'statement.pdf')
  const whole = { ...head, ...asked.head }
  const rows = asked.rows ?? inPortions([])
  const written = writeStatement(
    path,
    whole,
    rows,
    asked.foot ?? (() => foot),
    asked.signal ?? never,
  )
  return { path, ...(await written) }
}

type Cell = { readonly text: string; readonly left: number; readonly right: number }

/** The lines of each page, from the top, and the cells of each, from the left. */
const readBack = async (path: string) => {
  const pdf = await getDocumentProxy(new Uint8Array(readFileSync(path)))
  const info = (await pdf.getMetadata()).info as Record<string, string>
  const pages: Cell[][][] = []
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const { items } = await (await pdf.getPage(number)).getTextContent()
    const lines = new Map<number, Cell[]>()
    for (const item of items) {
      if (!('str' in item) || item.str.trim() === '') continue
      const [left, y] = [Number(item.transform[4]), Math.round(Number(item.transform[5]))]
      const cell = { text: item.str, left, right: left + item.width }
      lines.set(
        y,
        [...(lines.get(y) ?? []), cell].sort((one, other) => one.left - other.left),
      )
    }
    pages.push([...lines].sort(([one], [other]) => other - one).map(([, cells]) => cells))
  }
  const texts = pages.map((lines) => lines.map((cells) => cells.map(({ text }) => text)))
  return { info, pages, texts, flat: texts.flat(2) }
}

const rowsIn = (texts: readonly (readonly string[][])[]) =>
  texts.flat().filter((cells) => cells.length === 4 && cells[0] !== 'Date')

describe('a statement in PDF', () => {
  it('says whose it is, of which account and period, and when it was made', async () => {
    const { path, pages } = await made({ rows: inPortions(rowsOf(3)) })
    const { info, flat } = await readBack(path)
    expect(pages).toBe(1)
    const { opening, createdAt: _createdAt, ...said } = head
    expect(flat).toEqual(expect.arrayContaining([...Object.values(said), 'Account statement']))
    expect(flat).toContain('Feb 10, 2026, 14:30 UTC')
    expect(flat.filter((text) => text === opening)).toHaveLength(2)
    expect(info).toMatchObject({ Title: 'Account statement', Author: 'Daybook Bank' })
    expect(info.CreationDate).toBe('D:20260210143000Z')
  })

  it('holds every row once and in order, under a header on every page', async () => {
    const rows = rowsOf(120)
    const { path, pages, bytes, sha256 } = await made({ rows: inPortions(rows, 7) })
    const { texts } = await readBack(path)
    expect(pages).toBe(4)
    expect(texts).toHaveLength(pages)
    expect(rowsIn(texts)).toEqual(rows.map((row) => Object.values(row)))
    texts.forEach((lines, page) => {
      const headers = lines.filter((cells) => cells[0] === 'Date')
      const footers = lines.filter((cells) => cells.includes(`Page ${page + 1}`))
      expect([page, headers]).toEqual([page, [header]])
      expect(footers).toEqual([[`${head.accountNumber} · ${head.period}`, `Page ${page + 1}`]])
    })
    const file = readFileSync(path)
    expect(createHash('sha256').update(file).digest('hex')).toBe(sha256)
    expect([file.length, statSync(path).mode & 0o777]).toEqual([bytes, 0o600])
  })

  it('opens and closes with a balance, and asks for the totals after the last row', async () => {
    let isOver = false
    const rows = async function* () {
      yield rowsOf(2)
      isOver = true
    }
    const late = () => (isOver ? foot : { totals: [], closing: 'too early' })
    const { path } = await made({ rows: rows(), foot: late })
    const { texts } = await readBack(path)
    const lines = texts.flat()
    const from = lines.findIndex(([text]) => text === 'Opening balance')
    expect(lines.slice(from, -1)).toEqual([
      ['Opening balance', '$5,350.00'],
      ...rowsOf(2).map((row) => Object.values(row)),
      ['Closing balance', '$6,096.50'],
      ['Summary'],
      ['Opening balance', '$5,350.00'],
      ...foot.totals,
      ['Closing balance', '$6,096.50'],
    ])
  })

  it('keeps the totals with their heading, wherever the page ends', async () => {
    const seen = new Set<string>()
    for (let count = 18; count <= 29; count += 1) {
      const { path } = await made({ rows: inPortions(rowsOf(count)) })
      const { texts } = await readBack(path)
      const pageOf = (text: string) => texts.findIndex((lines) => lines.flat().includes(text))
      const labels = ['Summary', ...foot.totals.map(([name]) => name)]
      expect([count, new Set(labels.map(pageOf)).size]).toEqual([count, 1])
      seen.add(`${pageOf(`Cash Withdrawal ${count - 1}`)} ${pageOf('Summary')}`)
    }
    expect(seen).toEqual(new Set(['0 0', '0 1', '1 1']))
  })

  it('repeats the heading over more totals than a page holds', async () => {
    const totals = Array.from({ length: 70 }, (_, n) => [`Kind ${n}`, `$${n}.00`] as const)
    const { path, pages } = await made({ foot: () => ({ ...foot, totals }) })
    const { texts } = await readBack(path)
    expect(texts.flat().filter((cells) => cells[0]?.startsWith('Kind'))).toEqual(totals)
    const starts = texts.map((lines) => lines.filter(([text]) => text === 'Summary').length)
    expect([pages, starts]).toEqual([4, [0, 1, 1, 1]])
  })

  it('says so when there were no transactions', async () => {
    const sentence = 'No transactions in this period.'
    const { path } = await made({ rows: inPortions([]) })
    expect((await readBack(path)).flat.filter((text) => text === sentence)).toHaveLength(1)
    const { path: other } = await made({ rows: inPortions(rowsOf(1)) })
    expect((await readBack(other)).flat).not.toContain(sentence)
  })

  it.each([
    'Łukasz Żółć',
    'Ольга Иванова',
    'Αθηνά Παπαδοπούλου',
    'Nguyễn Thị Ánh',
    'Ṣọlá Ɗanjuma-Ẹ̀kọ́',
    'Griffin Hoffmann',
    "O'Brien (Zoë)",
  ])('spells the name %s', async (name) => {
    const row = { ...rowOf(1), description: `To ${name}` }
    const { path } = await made({ head: { holder: name, bank: name }, rows: inPortions([row]) })
    const { flat, info } = await readBack(path)
    expect(flat.filter((text) => text === name).length).toBe(2)
    expect(flat).toContain(`To ${name}`)
    expect(info.Author).toBe(name)
  })

  it.each([
    ['controls', 'a\0b\tc\r\nd\u{1b}[31m', 'a b c d [31m'],
    ['a lone surrogate', 'a\ud800b', 'a\u{fffd}b'],
    ['what turns text around', 'a\u{202e}b\u{200b}c', 'abc'],
    ['letters the font has not', 'a漢😀b', 'a\u{fffd}\u{fffd}b'],
    ['nothing', '', undefined],
  ])('is not broken by %s', async (_what, text, shown) => {
    const row = { ...rowOf(1), description: text }
    const { path } = await made({ head: { holder: text, bank: text }, rows: inPortions([row]) })
    const { texts } = await readBack(path)
    const found = texts.flat().find((cells) => cells[0] === row.date)
    const cells = [row.date, shown, row.amount, row.balance]
    expect(found).toEqual(cells.filter((cell) => cell !== undefined))
  })

  it('lets nothing run into anything else', async () => {
    const long = 'Invoice 2026-0042 for the works in the garden, third instalment of four, thanks'
    const odd = ['W'.repeat(300), long.repeat(9), `${'漢'.repeat(50)} ${long}`, 'a b '.repeat(150)]
    const amounts = ['$999,999,999.99', '-$9,999,999,999.99', `-KES ${'9,999,'.repeat(5)}999.99`]
    const rows = odd.flatMap((description) =>
      amounts.map((amount) => ({ date: 'Sep 30, 2026', description, amount, balance: amount })),
    )
    const wide = { bank: long, holder: long, accountNumber: long, accountType: long, period: long }
    const totals = amounts.map((amount) => [long, amount] as const)
    const { path } = await made({
      head: { ...wide, opening: amounts[2] ?? '' },
      rows: inPortions(rows),
      foot: () => ({ totals, closing: amounts[2] ?? '' }),
    })
    const { pages, flat } = await readBack(path)
    for (const cells of pages.flat()) {
      cells.forEach((cell, at) => {
        expect(cell.right).toBeLessThan(cells[at + 1]?.left ?? 612 - 47)
      })
    }
    for (const amount of amounts) {
      const times = flat.filter((text) => text === amount).length
      expect(times).toBe(2 * odd.length + 1 + (amount === amounts[2] ? 4 : 0))
    }
    expect(flat.filter((text) => text.startsWith('Invoice') && text.endsWith('…'))).not.toEqual([])
  })

  it('is the same, byte for byte, when it is made again', async () => {
    const first = await made({ rows: inPortions(rowsOf(40), 50) })
    await setTimeout(1100)
    const again = await made({ rows: inPortions(rowsOf(40), 3) })
    expect(again.sha256).toBe(first.sha256)
    const later = new Date('2026-02-10T14:31:00.000Z')
    const other = await made({ rows: inPortions(rowsOf(40)), head: { createdAt: later } })
    expect(other.sha256).not.toBe(first.sha256)
  })
})

describe('writing a statement', () => {
  it('asks for rows no faster than the disk takes pages', async () => {
    const path = join(temporaryDirectory(), 'statement.pdf')
    const handle = await open(join(temporaryDirectory(), 'any'), 'w')
    const prototype = Object.getPrototypeOf(handle)
    await handle.close()
    const really = prototype.write
    const disk = Promise.withResolvers<void>()
    let writes = 0
    const spy = vi.spyOn(prototype, 'write').mockImplementation(async function (this, ...args) {
      writes += 1
      await disk.promise
      return really.apply(this, args)
    })
    onTestFinished(() => spy.mockRestore())
    let requested = 0
    const rows = async function* () {
      for (; requested < 60; requested += 1) {
        const noise = () => createHash('sha256').update(`${requested} ${Math.random()}`)
        yield rowsOf(60).map((row) => ({ ...row, description: noise().digest('base64') }))
      }
    }
    const writing = made({ path, rows: rows() })
    await until('the disk is asked to write', () => writes > 0)
    let before = -1
    await until('no more rows are asked for', async () => {
      const isStill = before === requested
      before = requested
      await setTimeout(300)
      return isStill
    })
    expect(requested).toBeLessThan(40)
    disk.resolve()
    expect((await writing).bytes).toBe(statSync(path).size)
    expect(requested).toBe(60)
  })

  it('leaves nothing when it is aborted, and lets go of the rows', async () => {
    const directory = temporaryDirectory()
    const stopping = new AbortController()
    let isClosed = false
    const rows = async function* () {
      try {
        for (let portion = 0; portion < 1000; portion += 1) {
          const part = expect.stringMatching(/^statement\.pdf\..+\.part$/)
          if (portion === 3) expect(readdirSync(directory)).toEqual([part])
          if (portion === 3) stopping.abort(new Error('enough'))
          yield rowsOf(50)
        }
      } finally {
        isClosed = true
      }
    }
    const path = join(directory, 'statement.pdf')
    const { signal } = stopping
    await expect(made({ path, rows: rows(), signal })).rejects.toThrow('enough')
    expect(readdirSync(directory)).toEqual([])
    await until('the rows are let go of', () => isClosed)
  })

  it('leaves nothing when it is aborted while the rows are waited for, or before', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'statement.pdf')
    const stopping = new AbortController()
    const rows = async function* () {
      yield rowsOf(50)
      globalThis.setTimeout(() => stopping.abort(), 20)
      await new Promise(() => undefined)
    }
    const { signal } = stopping
    await expect(made({ path, rows: rows(), signal })).rejects.toThrow('aborted')
    expect(readdirSync(directory)).toEqual([])
    await expect(made({ path, signal })).rejects.toThrow('aborted')
    expect(readdirSync(directory)).toEqual([])
  })

  it('leaves nothing when the rows or the totals fail', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'statement.pdf')
    const rows = async function* () {
      yield rowsOf(200)
      throw new Error('no more rows')
    }
    await expect(made({ path, rows: rows() })).rejects.toThrow('no more rows')
    const fails = () => {
      throw new Error('no totals')
    }
    await expect(made({ path, foot: fails })).rejects.toThrow('no totals')
    expect(readdirSync(directory)).toEqual([])
  })

  it('leaves nothing where it cannot write', async () => {
    const directory = temporaryDirectory()
    const nowhere = join(directory, 'missing', 'statement.pdf')
    await expect(made({ path: nowhere })).rejects.toThrow('ENOENT')
    const taken = join(directory, 'taken.pdf')
    mkdirSync(taken)
    await expect(made({ path: taken })).rejects.toThrow('EISDIR')
    expect(readdirSync(directory)).toEqual(['taken.pdf'])
  })

  it('leaves nothing when the disk is full', async ({ skip }) => {
    const directory = temporaryDirectory()
    if (!mountSmallDisk(directory, 'size=8k')) skip('cannot mount a small disk here')
    const path = join(directory, 'statement.pdf')
    await expect(made({ path, rows: inPortions(rowsOf(500)) })).rejects.toThrow('ENOSPC')
    expect(readdirSync(directory)).toEqual([])
  })

  it('takes the place of an older one', async () => {
    const path = join(temporaryDirectory(), 'statement.pdf')
    writeFileSync(path, 'older', { mode: 0o644 })
    await made({ path, rows: inPortions(rowsOf(1)) })
    expect(readFileSync(path, 'latin1').slice(0, 8)).toBe('%PDF-1.7')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})
