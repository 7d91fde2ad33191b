import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CamtHead, writeCamt } from '../infra/statements/camt.ts'
import type { BookedMovement } from '../infra/statements/movements.ts'
import { temporaryDirectory } from './infra-support.ts'
import { allAt, type Element, parseXml, textAt } from './xml-support.ts'

const head: CamtHead = {
  ...{ statement: '01K0STATEMENT', sequence: 3, bank: 'Daybook Bank', holder: 'Ama Mensah' },
  ...{ accountNumber: '2231000000017', asset: 'GHS/2', from: '2026-01-01', to: '2026-01-31' },
  ...{ createdAt: new Date('2026-02-01T08:00:00.000Z'), opening: '-500', closing: '11725' },
  sums: { credit: { count: 2, sum: 12_350n }, debit: { count: 1, sum: 125n } },
}
const movement = (more: Partial<BookedMovement> = {}): BookedMovement => ({
  ...{ entry: '01K0ENTRY', kind: 'deposit', direction: 'credit', amount: '12345', balance: 0n },
  ...{ description: 'Deposit', reference: 'TXN-20260105-A1B2C3', metadata: {} },
  ...{ booked_at: new Date('2026-01-05T10:00:00.000Z'), value_date: '2026-01-04', ...more },
})
const all = [
  movement(),
  movement({ kind: 'fee', direction: 'debit', amount: '125', reference: null }),
  movement({ kind: 'interest', amount: '5', description: 'Interest' }),
]

const portions = async function* (movements: readonly BookedMovement[]) {
  for (const one of movements) yield [one]
}

/** The statement as its reader has it. */
const read = async (movements: readonly BookedMovement[], more: Partial<CamtHead> = {}) => {
  const path = join(temporaryDirectory(), 'statement.xml')
  const { signal } = new AbortController()
  const written = await writeCamt(path, { ...head, ...more }, portions(movements), signal)
  const text = readFileSync(path, 'utf8')
  const document = parseXml(text)
  const [statement] = allAt(document, 'BkToCstmrStmt/Stmt')
  if (!statement) throw new Error('there is no statement in it')
  return { written, text, document, statement, entries: allAt(statement, 'Ntry') }
}

/** Minor units, below zero for a debit. */
const signedAt = (element: Element): bigint => {
  const size = BigInt((textAt(element, 'Amt') ?? '').replace('.', ''))
  return textAt(element, 'CdtDbtInd') === 'DBIT' ? -size : size
}

describe('a statement for programs', () => {
  test('has everything in the order of its schema', async () => {
    const { document, statement, entries } = await read(all)
    expect(document).toMatchObject({
      name: 'Document',
      attributes: { xmlns: 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08' },
    })
    expect(statement.children.map(({ name }) => name)).toEqual([
      ...['Id', 'ElctrncSeqNb', 'CreDtTm', 'FrToDt', 'Acct', 'Bal', 'Bal', 'TxsSummry'],
      ...['Ntry', 'Ntry', 'Ntry'],
    ])
    expect(entries[0]?.children.map(({ name }) => name)).toEqual([
      ...['NtryRef', 'Amt', 'CdtDbtInd', 'Sts', 'BookgDt', 'ValDt', 'AcctSvcrRef', 'BkTxCd'],
      'NtryDtls',
    ])
    const found = ['Id', 'ElctrncSeqNb', 'Acct/Id/Othr/Id', 'Acct/Ccy', 'Acct/Ownr/Nm']
    expect(found.map((path) => textAt(statement, path))).toEqual([
      ...['01K0STATEMENT', '3', '2231000000017', 'GHS', 'Ama Mensah'],
    ])
  })

  test('adds up: opening balance and entries are the closing balance', async () => {
    const { statement, entries } = await read(all)
    const [opening, closing] = allAt(statement, 'Bal')
    if (!opening || !closing) throw new Error('there are not two balances')
    expect([textAt(opening, 'Tp/CdOrPrtry/Cd'), textAt(opening, 'Dt/Dt')]).toEqual([
      ...['OPBD', '2026-01-01'],
    ])
    expect([textAt(closing, 'Tp/CdOrPrtry/Cd'), textAt(closing, 'Dt/Dt')]).toEqual([
      ...['CLBD', '2026-01-31'],
    ])
    expect(signedAt(opening)).toBe(-500n)
    const sum = entries.reduce((total, entry) => total + signedAt(entry), signedAt(opening))
    expect(sum).toBe(signedAt(closing))
    const sums = ['TtlNtries', 'TtlCdtNtries', 'TtlDbtNtries'].map((part) => [
      textAt(statement, `TxsSummry/${part}/NbOfNtries`),
      textAt(statement, `TxsSummry/${part}/Sum`),
    ])
    expect(sums).toEqual([
      ['3', '124.75'],
      ['2', '123.50'],
      ['1', '1.25'],
    ])
    expect(textAt(statement, 'TxsSummry/TtlNtries/TtlNetNtry/Amt')).toBe('122.25')
  })

  test('says what each entry was, when, and from when it counts', async () => {
    const { entries } = await read(all)
    const of = (path: string) => entries.map((entry) => textAt(entry, path))
    expect(of('NtryRef')).toEqual(['1', '2', '3'])
    expect(of('Amt')).toEqual(['123.45', '1.25', '0.05'])
    expect(entries.map((entry) => allAt(entry, 'Amt')[0]?.attributes.Ccy)).toEqual([
      ...['GHS', 'GHS', 'GHS'],
    ])
    expect(of('BookgDt/DtTm')[0]).toBe('2026-01-05T10:00:00.000Z')
    expect(of('ValDt/Dt')[0]).toBe('2026-01-04')
    expect(of('BkTxCd/Domn/Fmly/SubFmlyCd')).toEqual(['CDPT', 'FEES', 'INTR'])
    expect(of('BkTxCd/Prtry/Cd')).toEqual(['deposit', 'fee', 'interest'])
    expect(of('NtryDtls/TxDtls/Refs/EndToEndId')).toEqual([
      ...['TXN-20260105-A1B2C3', 'NOTPROVIDED', 'TXN-20260105-A1B2C3'],
    ])
    expect(of('AcctSvcrRef')[0]).toBe('01K0ENTRY')
  })

  test('says what people wrote, and nothing that XML cannot say', async () => {
    const description = 'Kofi & <Söhne> "Ltd" \u{1F41F}\u0000\u0007\uD800\uFFFF]]>'
    const { text, statement, entries } = await read([movement({ description })], {
      holder: 'A & B <c>\u0001',
    })
    const said = 'Kofi & <Söhne> "Ltd" \u{1F41F}]]>'
    expect(entries.map((entry) => textAt(entry, 'NtryDtls/TxDtls/RmtInf/Ustrd'))).toEqual([said])
    expect(textAt(statement, 'Acct/Ownr/Nm')).toBe('A & B <c>')
    expect(text).not.toMatch(/[^\P{C}\n\u{1F41F}]/u)
  })

  test('has no longer texts than there may be, and no half of an id', async () => {
    const description = 'é'.repeat(139) + '\u{1F41F}'.repeat(3)
    const long = movement({ description, entry: 'E'.repeat(36), reference: 'R'.repeat(36) })
    const { entries } = await read([long])
    const [entry] = entries
    if (!entry) throw new Error('there is no entry')
    const lines = allAt(entry, 'NtryDtls/TxDtls/RmtInf/Ustrd').map(({ text }) => text)
    expect(lines.map((line) => [...line].length)).toEqual([140, 2])
    expect(lines.join('')).toBe(description)
    expect(textAt(entry, 'AcctSvcrRef')).toBeUndefined()
    expect(textAt(entry, 'NtryDtls/TxDtls/Refs/EndToEndId')).toBe('NOTPROVIDED')
  })

  test('may have nothing in it, of nobody', async () => {
    const nothing = { count: 0, sum: 0n }
    const { statement, entries } = await read([], {
      ...{ holder: '', opening: '0', closing: '0', sums: { credit: nothing, debit: nothing } },
    })
    expect(entries).toEqual([])
    expect(allAt(statement, 'Acct/Ownr')).toEqual([])
    expect(textAt(statement, 'TxsSummry/TtlNtries/TtlNetNtry/CdtDbtInd')).toBe('CRDT')
  })
})

test('is written at the pace of the disk, and an abort leaves nothing of it', async () => {
  const directory = temporaryDirectory()
  const stopping = new AbortController()
  let asked = 0
  const endless = async function* () {
    for (;;) {
      asked += 1
      if (asked === 50) stopping.abort(new Error('enough'))
      yield all
    }
  }
  const written = writeCamt(join(directory, 'a.xml'), head, endless(), stopping.signal)
  await expect(written).rejects.toThrow('enough')
  expect(readdirSync(directory)).toEqual([])
  expect(asked).toBeLessThan(60)
})
