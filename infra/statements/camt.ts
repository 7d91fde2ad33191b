/** Statements for programs: ISO 20022 bank-to-customer statements, camt.053.001.08. */
import { formatAmount } from '../../domain/money.ts'
import type { BookedMovement, Sums } from './movements.ts'
import { untilAborted, type Written, writeWhole } from './written.ts'

/** Amounts are minor units of the asset. */
export type CamtHead = {
  readonly statement: string
  /** Which of the account's statements of this kind it is. */
  readonly sequence: number
  readonly bank: string
  /** Empty when nobody knows it any more. */
  readonly holder: string
  readonly accountNumber: string
  readonly asset: string
  readonly from: string
  readonly to: string
  readonly createdAt: Date
  readonly opening: string
  readonly closing: string
  readonly sums: Sums
}

type Direction = 'debit' | 'credit'

// What XML 1.0 has no way to say, not even escaped.
const UNSAYABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Text that has no markup in it, at most so many characters. */
const texted = (text: string, most: number): string => {
  const said = [...text.replace(UNSAYABLE, '')].slice(0, most).join('')
  return said.replace(/[&<>]/g, (sign) => ESCAPES[sign] ?? '')
}

const tag = (name: string, ...inner: readonly string[]): string =>
  `<${name}>${inner.join('')}</${name}>`

/** Nothing, where there is nothing to say. */
const tagText = (name: string, text: string, most: number): string => {
  const said = texted(text, most)
  return said.trim() === '' ? '' : tag(name, said)
}

const indicators: Readonly<Record<Direction, string>> = { debit: 'DBIT', credit: 'CRDT' }
const indicator = (direction: Direction): string => tag('CdtDbtInd', indicators[direction])

const currencyOf = (asset: string): string => asset.slice(0, asset.indexOf('/'))

const amount = (name: string, minor: string, asset: string): string =>
  `<${name} Ccy="${currencyOf(asset)}">${formatAmount(minor, asset)}</${name}>`

/** An amount below zero is a debit. */
const signed = (minor: string): { readonly amount: string; readonly direction: Direction } => ({
  amount: minor.replace('-', ''),
  direction: minor.startsWith('-') ? 'debit' : 'credit',
})

const balance = (code: string, minor: string, day: string, { asset }: CamtHead): string => {
  const { amount: size, direction } = signed(minor)
  return tag(
    'Bal',
    tag('Tp', tag('CdOrPrtry', tag('Cd', code))),
    amount('Amt', size, asset),
    indicator(direction),
    tag('Dt', tag('Dt', day)),
  )
}

const summary = ({ sums, asset }: CamtHead): string => {
  const { credit, debit } = sums
  const sized = (minor: bigint) => formatAmount(minor.toString(), asset)
  const net = signed((credit.sum - debit.sum).toString())
  const part = (name: string, { count, sum }: Sums[Direction]) =>
    tag(name, tag('NbOfNtries', `${count}`), tag('Sum', sized(sum)))
  return tag(
    'TxsSummry',
    tag(
      'TtlNtries',
      tag('NbOfNtries', `${credit.count + debit.count}`),
      tag('Sum', sized(credit.sum + debit.sum)),
      tag('TtlNetNtry', tag('Amt', formatAmount(net.amount, asset)), indicator(net.direction)),
    ),
    part('TtlCdtNtries', credit),
    part('TtlDbtNtries', debit),
  )
}

const NUMBER_CHARACTERS = 34
const NAME_CHARACTERS = 140
const ID_CHARACTERS = 35

const account = ({ accountNumber, asset, holder, bank }: CamtHead): string => {
  const name = tagText('Nm', holder, NAME_CHARACTERS)
  return tag(
    'Acct',
    tag('Id', tag('Othr', tag('Id', texted(accountNumber, NUMBER_CHARACTERS)))),
    tag('Ccy', currencyOf(asset)),
    name && tag('Ownr', name),
    tag('Svcr', tag('FinInstnId', tag('Nm', texted(bank, NAME_CHARACTERS)))),
  )
}

const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'

const beginning = (head: CamtHead): string => {
  const { statement, sequence, createdAt, from, to, opening, closing } = head
  const created = tag('CreDtTm', createdAt.toISOString())
  const pages = tag('PgNb', '1') + tag('LastPgInd', 'true')
  return [
    `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${NAMESPACE}"><BkToCstmrStmt>`,
    tag('GrpHdr', tag('MsgId', texted(statement, ID_CHARACTERS)), created, tag('MsgPgntn', pages)),
    `<Stmt>${tag('Id', texted(statement, ID_CHARACTERS))}${tag('ElctrncSeqNb', `${sequence}`)}`,
    created,
    tag('FrToDt', tag('FrDtTm', `${from}T00:00:00.000Z`), tag('ToDtTm', `${to}T23:59:59.999Z`)),
    account(head),
    balance('OPBD', opening, from, head),
    balance('CLBD', closing, to, head),
    summary(head),
  ].join('\n')
}

/** Domain, family and sub-family of what ISO has codes for; all else by its kind alone. */
const codes: Readonly<Record<string, readonly [string, string, string]>> = {
  'transfer credit': ['PMNT', 'RCDT', 'BOOK'],
  'transfer debit': ['PMNT', 'ICDT', 'BOOK'],
  'deposit credit': ['PMNT', 'CNTR', 'CDPT'],
  'withdrawal debit': ['PMNT', 'CNTR', 'CWDL'],
  'interest credit': ['ACMT', 'MCOP', 'INTR'],
  'fee debit': ['ACMT', 'MDOP', 'FEES'],
}

const code = ({ kind, direction }: BookedMovement): string => {
  const [domain, family, part] = codes[`${kind} ${direction}`] ?? []
  const known =
    domain && family && part
      ? tag('Domn', tag('Cd', domain), tag('Fmly', tag('Cd', family), tag('SubFmlyCd', part)))
      : ''
  return tag('BkTxCd', known, tag('Prtry', tag('Cd', kind)))
}

const LINE_CHARACTERS = 140

/** What it is for, in lines of the length that there may be. */
const remittance = (description: string): string => {
  const characters = [...description]
  const lines = Array.from({ length: Math.ceil(characters.length / LINE_CHARACTERS) }, (_, line) =>
    characters.slice(line * LINE_CHARACTERS, (line + 1) * LINE_CHARACTERS).join(''),
  )
  const said = lines.map((line) => tagText('Ustrd', line, LINE_CHARACTERS)).join('')
  return said && tag('RmtInf', said)
}

/** An id that would have to be cut is another's, or nobody's. */
const whole = (id: string | null): string | undefined =>
  id !== null && id.trim() !== '' && [...id].length <= ID_CHARACTERS ? id : undefined

const entryOf = (movement: BookedMovement, number: number, asset: string): string => {
  const { entry, direction, amount: minor, description, reference } = movement
  const size = amount('Amt', minor, asset) + indicator(direction)
  const id = whole(entry)
  return tag(
    'Ntry',
    tag('NtryRef', `${number}`),
    size,
    tag('Sts', tag('Cd', 'BOOK')),
    tag('BookgDt', tag('DtTm', movement.booked_at.toISOString())),
    tag('ValDt', tag('Dt', movement.value_date)),
    id === undefined ? '' : tag('AcctSvcrRef', id),
    code(movement),
    tag(
      'NtryDtls',
      tag(
        'TxDtls',
        tag('Refs', tagText('EndToEndId', whole(reference) ?? 'NOTPROVIDED', ID_CHARACTERS)),
        size,
        remittance(description),
      ),
    ),
  )
}

const partsOf = async function* (
  head: CamtHead,
  portions: AsyncIterable<readonly BookedMovement[]>,
): AsyncGenerator<Buffer> {
  yield Buffer.from(`${beginning(head)}\n`)
  let number = 0
  for await (const portion of portions) {
    const entries = portion.map((movement) => {
      number += 1
      return `${entryOf(movement, number, head.asset)}\n`
    })
    yield Buffer.from(entries.join(''))
  }
  yield Buffer.from('</Stmt></BkToCstmrStmt></Document>\n')
}

/**
 * Writes the statement of an account to `path`. Movements come in portions and are never all in
 * memory. Rejects as `writeWhole` does.
 */
export const writeCamt = (
  path: string,
  head: CamtHead,
  portions: AsyncIterable<readonly BookedMovement[]>,
  signal: AbortSignal,
): Promise<Written> => writeWhole(path, () => partsOf(head, untilAborted(portions, signal)), signal)
