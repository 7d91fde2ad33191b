import PDFDocument from 'pdfkit'
import {
  type Document,
  loadTypeface,
  plain,
  printable,
  type Typeface,
  type Weight,
} from './type.ts'

/** A document in the making, with the place on its page where the next thing goes. */
export type Sheet = {
  readonly document: Document
  readonly typeface: Typeface
  page: number
  y: number
}

export const colours = {
  ink: '#1c2733',
  muted: '#5d6b7a',
  brand: '#123a63',
  rule: '#1f8a8a',
  hairline: '#d8dee6',
  tint: '#f2f5f9',
} as const

/** Points, of 72 to the inch. */
export const LEFT = 48
export const RIGHT = 564
export const WIDTH = RIGHT - LEFT
export const BOTTOM = 730

export type Meta = { readonly title: string; readonly author: string; readonly created: Date }

/** A document without pages. Its dates and its id come from `meta`, never from the clock. */
export const openSheet = ({ title, author, created }: Meta): Sheet => {
  const document = new PDFDocument({
    ...{ size: 'LETTER', margin: 0, autoFirstPage: false },
    ...{ pdfVersion: '1.7', lang: 'en', displayTitle: true },
    info: { Title: title, Author: plain(author), Creator: 'Daybook', CreationDate: created },
  })
  return { document, typeface: loadTypeface(document), page: 0, y: 0 }
}

const SIZE = 8.5

export type Ink = {
  readonly size?: number
  readonly weight?: Weight
  readonly colour?: string
}

export type Place = { readonly x: number; readonly y: number; readonly width: number }

/** Takes up the pen, and says what of the text can be written with it. */
const take = ({ document, typeface }: Sheet, text: string, ink: Ink): string => {
  const { size = SIZE, weight = 'regular', colour = colours.ink } = ink
  document.font(weight).fontSize(size).fillColor(colour)
  return printable(typeface, weight, text)
}

/** How many lines the text takes in this width, up to `most`. */
export const countLines = (
  sheet: Sheet,
  text: string,
  { width, ink = {} }: { readonly width: number; readonly ink?: Ink },
  most: number,
): number => {
  const line = take(sheet, text, ink)
  const { document } = sheet
  if (document.widthOfString(line) <= width) return 1
  const height = document.heightOfString(line, { width })
  return Math.min(most, Math.round(height / document.currentLineHeight(true)))
}

/** The height of a line of this size, from the font's own measures. */
export const lineHeight = (sheet: Sheet, ink: Ink = {}): number => {
  take(sheet, '', ink)
  return sheet.document.currentLineHeight(true)
}

/** Writes from the left, in so many lines; what does not fit is cut with an ellipsis. */
export const write = (
  sheet: Sheet,
  text: string,
  { x, y, width }: Place,
  ink: Ink = {},
  lines = 1,
): void => {
  const line = take(sheet, text, ink)
  const { document } = sheet
  if (document.widthOfString(line) <= width) {
    document.text(line, x, y, { lineBreak: false })
    return
  }
  // A little more than the lines take, for they are compared in rounded figures.
  const height = lines * document.currentLineHeight(true) + 1
  document.text(line, x, y, { width, height, ellipsis: true })
}

/** Writes up to the right edge. An amount is never cut: a very long one gets smaller letters. */
export const writeRight = (
  sheet: Sheet,
  text: string,
  { x, y, width }: Place,
  ink: Ink = {},
): void => {
  const line = take(sheet, text, ink)
  const { document } = sheet
  const full = document.widthOfString(line)
  const scale = Math.min(1, width / full)
  if (scale < 1) document.fontSize((ink.size ?? SIZE) * scale)
  document.text(line, x + width - full * scale, y, { lineBreak: false })
}

/** A level line across the sheet. */
export const rule = (
  { document }: Sheet,
  y: number,
  colour: string = colours.hairline,
  thickness = 0.5,
): void => {
  document.rect(LEFT, y - thickness / 2, WIDTH, thickness).fill(colour)
}

export const tint = ({ document }: Sheet, { x, y, width }: Place, height: number): void => {
  document.rect(x, y, width, height).fill(colours.tint)
}
