import { dayText } from '../../domain/calendar.ts'
import {
  BOTTOM,
  colours,
  countLines,
  type Ink,
  LEFT,
  lineHeight,
  openSheet,
  RIGHT,
  rule,
  type Sheet,
  tint,
  WIDTH,
  write,
  writeRight,
} from './sheet.ts'
import { forgetWords } from './type.ts'

/** Everything but the moment is text as the bank wants it read. */
export type StatementHead = {
  readonly bank: string
  readonly holder: string
  /** Masked: it stands on every page. */
  readonly accountNumber: string
  readonly accountType: string
  readonly period: string
  readonly createdAt: Date
  readonly opening: string
}

export type StatementRow = {
  readonly date: string
  readonly description: string
  readonly amount: string
  readonly balance: string
}

/** What is known when the last row is. */
export type StatementFoot = {
  readonly totals: readonly (readonly [label: string, amount: string])[]
  readonly closing: string
}

export type Statement = { readonly sheet: Sheet; readonly head: StatementHead; rows: number }

const TITLE = 'Account statement'
const label: Ink = { size: 7.5, colour: colours.muted }
const bold: Ink = { weight: 'bold' }

const DATE = { x: LEFT + 6, width: 74 }
const DESCRIPTION = { x: LEFT + 86, width: 212 }
const AMOUNT = { x: RIGHT - 212, width: 100 }
const BALANCE = { x: RIGHT - 106, width: 100 }
const PADDING = 3.5
const MOST_LINES = 2

const momentText = (moment: Date): string => {
  const at = moment.toISOString()
  return `${dayText(at.slice(0, 10))}, ${at.slice(11, 16)} UTC`
}

const drawLetterhead = (sheet: Sheet, { bank }: StatementHead): void => {
  const name: Ink = { size: 20, weight: 'bold', colour: colours.brand }
  write(sheet, bank, { x: LEFT, y: 40, width: 350 }, name)
  const title: Ink = { size: 12, colour: colours.muted }
  writeRight(sheet, TITLE, { x: RIGHT - 150, y: 48.5, width: 150 }, title)
  rule(sheet, 76, colours.rule, 2)
}

const drawParticulars = (sheet: Sheet, head: StatementHead): void => {
  const { holder, accountNumber, accountType, period, createdAt } = head
  write(sheet, 'Account holder', { x: LEFT, y: 92, width: 190 }, label)
  write(sheet, holder, { x: LEFT, y: 103, width: 190 }, { size: 13, weight: 'bold' }, 2)
  const [left, right] = [LEFT + 214, LEFT + 372]
  const details = [
    ['Account number', accountNumber, left, 92],
    ['Account type', accountType, right, 92],
    ['Statement period', period, left, 122],
    ['Created', momentText(createdAt), right, 122],
  ] as const
  for (const [name, value, x, y] of details) {
    write(sheet, name, { x, y, width: 144 }, label)
    write(sheet, value, { x, y: y + 10.5, width: 144 }, { size: 9.5 })
  }
}

const drawColumns = (sheet: Sheet): void => {
  const { y } = sheet
  const ink: Ink = { size: 8, weight: 'bold', colour: colours.brand }
  tint(sheet, { x: LEFT, y, width: WIDTH }, 20)
  const line = y + 4.5
  write(sheet, 'Date', { ...DATE, y: line }, ink)
  write(sheet, 'Description', { ...DESCRIPTION, y: line }, ink)
  writeRight(sheet, 'Amount', { ...AMOUNT, y: line }, ink)
  writeRight(sheet, 'Balance', { ...BALANCE, y: line }, ink)
  rule(sheet, y + 20, colours.brand, 0.75)
  sheet.y = y + 20.5
}

// Seldom enough that dates and common words are measured once for many rows.
const FORGET_EVERY_PAGES = 16

const finishPage = ({ sheet, head }: Statement): void => {
  const { accountNumber, period } = head
  rule(sheet, BOTTOM + 14)
  const y = BOTTOM + 20
  write(sheet, `${accountNumber} · ${period}`, { x: LEFT, y, width: 400 }, label)
  writeRight(sheet, `Page ${sheet.page}`, { x: RIGHT - 100, y, width: 100 }, label)
  if (sheet.page % FORGET_EVERY_PAGES === 0) forgetWords(sheet.typeface)
}

const turnPage = (statement: Statement): void => {
  const { sheet, head } = statement
  finishPage(statement)
  sheet.document.addPage()
  sheet.page += 1
  const y = 36
  write(sheet, head.bank, { x: LEFT, y, width: 350 }, { ...bold, size: 9, colour: colours.brand })
  writeRight(sheet, TITLE, { x: RIGHT - 150, y: y + 1, width: 150 }, { ...label, size: 8 })
  rule(sheet, 53, colours.rule, 1)
  sheet.y = 66
}

const makeRoom = (statement: Statement, height: number): void => {
  if (statement.sheet.y + height <= BOTTOM) return
  turnPage(statement)
  drawColumns(statement.sheet)
}

/** Begins a statement: its first page, down to the opening balance. */
export const openStatement = (head: StatementHead): Statement => {
  const { bank, createdAt } = head
  const sheet = openSheet({ title: TITLE, author: bank, created: createdAt })
  const statement = { sheet, head, rows: 0 }
  sheet.document.addPage()
  sheet.page = 1
  drawLetterhead(sheet, head)
  drawParticulars(sheet, head)
  sheet.y = 164
  drawColumns(sheet)
  drawBalance(statement, 'Opening balance', head.opening)
  return statement
}

/** A row may take two lines, and is never torn over a page break. */
export const drawRow = (statement: Statement, row: StatementRow): void => {
  const { sheet } = statement
  const lines = countLines(sheet, row.description, DESCRIPTION, MOST_LINES)
  const height = lines * lineHeight(sheet) + 2 * PADDING
  makeRoom(statement, height)
  const y = sheet.y + PADDING
  write(sheet, row.date, { ...DATE, y })
  write(sheet, row.description, { ...DESCRIPTION, y }, {}, lines)
  writeRight(sheet, row.amount, { ...AMOUNT, y })
  writeRight(sheet, row.balance, { ...BALANCE, y })
  sheet.y += height
  rule(sheet, sheet.y)
  statement.rows += 1
}

const drawBalance = (statement: Statement, name: string, balance: string): void => {
  const { sheet } = statement
  const height = lineHeight(sheet, bold) + 2 * PADDING
  makeRoom(statement, height)
  tint(sheet, { x: LEFT, y: sheet.y, width: WIDTH }, height)
  const y = sheet.y + PADDING
  write(sheet, name, { ...DESCRIPTION, y }, bold)
  writeRight(sheet, balance, { ...BALANCE, y }, bold)
  sheet.y += height
  rule(sheet, sheet.y)
}

const drawNothing = ({ sheet }: Statement): void => {
  const place = { ...DESCRIPTION, y: sheet.y + 9 }
  write(sheet, 'No transactions in this period.', place, { colour: colours.muted })
  sheet.y += 30
  rule(sheet, sheet.y)
}

const SUMMARY_ROW = 18
const SUMMARY_HEADING = 24
const SUMMARY = { x: RIGHT - 300, width: 300 }

const drawSummaryRow = (sheet: Sheet, [name, amount]: readonly [string, string], ink: Ink) => {
  const y = sheet.y + 3
  write(sheet, name, { x: SUMMARY.x + 10, y, width: 160 }, ink)
  writeRight(sheet, amount, { x: RIGHT - 116, y, width: 106 }, ink)
  sheet.y += SUMMARY_ROW
}

/** The heading and what stands under it, on one page. */
const drawSummary = (
  statement: Statement,
  rows: readonly (readonly [string, string])[],
  closing: string | undefined,
): void => {
  const { sheet } = statement
  const count = rows.length + (closing === undefined ? 0 : 1)
  const height = count * SUMMARY_ROW + 10
  if (sheet.y + 18 + SUMMARY_HEADING + height > BOTTOM) turnPage(statement)
  else sheet.y += 18
  const heading: Ink = { ...bold, size: 10.5, colour: colours.brand }
  write(sheet, 'Summary', { ...SUMMARY, y: sheet.y }, heading)
  sheet.y += SUMMARY_HEADING - 4
  tint(sheet, { ...SUMMARY, y: sheet.y }, height)
  sheet.document.rect(SUMMARY.x, sheet.y, SUMMARY.width, 1).fill(colours.rule)
  sheet.y += 5
  for (const row of rows) drawSummaryRow(sheet, row, {})
  if (closing === undefined) return
  sheet.document.rect(SUMMARY.x + 10, sheet.y, SUMMARY.width - 20, 0.5).fill(colours.hairline)
  drawSummaryRow(sheet, ['Closing balance', closing], bold)
}

const MOST_SUMMARY_ROWS = 30

/** Ends a statement: the closing balance, the summary, and the last of the document. */
export const closeStatement = (statement: Statement, { totals, closing }: StatementFoot): void => {
  if (statement.rows === 0) drawNothing(statement)
  drawBalance(statement, 'Closing balance', closing)
  const rows = [['Opening balance', statement.head.opening] as const, ...totals]
  for (let at = 0; at < rows.length; at += MOST_SUMMARY_ROWS) {
    const isLast = at + MOST_SUMMARY_ROWS >= rows.length
    const some = rows.slice(at, at + MOST_SUMMARY_ROWS)
    drawSummary(statement, some, isLast ? closing : undefined)
  }
  finishPage(statement)
  statement.sheet.document.end()
}
