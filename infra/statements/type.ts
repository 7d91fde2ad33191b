import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type PDFDocument from 'pdfkit'

export type Document = InstanceType<typeof PDFDocument>
export type Weight = 'regular' | 'bold'

/** What pdfkit knows of a font and keeps to itself. */
type LoadedFont = {
  readonly font: {
    hasGlyphForCodePoint(codePoint: number): boolean
    layout(text: string, features?: Readonly<Record<string, boolean>>): unknown
  }
  layoutCache: Record<string, unknown>
}

/** The two fonts of one document. */
export type Typeface = Readonly<Record<Weight, LoadedFont>>

const require = createRequire(import.meta.url)

// Its figures are all of one width by themselves. Asked of a font as a feature (`tnum`), such
// figures lose what they stand for, and the amounts could not be copied or searched.
const files: Readonly<Record<Weight, string>> = {
  regular: require.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
  bold: require.resolve('@expo-google-fonts/noto-sans/600SemiBold/NotoSans_600SemiBold.ttf'),
}

const read = new Map<Weight, Buffer>()

const bytesOf = (weight: Weight): Buffer => {
  const bytes = read.get(weight) ?? readFileSync(files[weight])
  read.set(weight, bytes)
  return bytes
}

const load = (document: Document, weight: Weight): LoadedFont => {
  document.registerFont(weight, bytesOf(weight)).font(weight)
  const { _font: loaded } = document as unknown as { readonly _font: LoadedFont }
  if (!loaded.layoutCache) throw new Error('pdfkit no longer keeps its words where they were')
  const { font } = loaded
  const layout = font.layout.bind(font)
  // The font would take some letters apart (ọ into o and a dot), with the same loss for the dot.
  font.layout = (text) => layout(text, { ccmp: false })
  return loaded
}

/** Gives a document its fonts. Only the letters that are used get into the file. */
export const loadTypeface = (document: Document): Typeface => ({
  regular: load(document, 'regular'),
  bold: load(document, 'bold'),
})

/** Lets go of the words measured so far: pdfkit keeps each for ever, and every amount is one. */
export const forgetWords = ({ regular, bold }: Typeface): void => {
  regular.layoutCache = Object.create(null)
  bold.layoutCache = Object.create(null)
}

const LONGEST = 400
const SPACES = /[\p{Cc}\p{Z}]+/gu
// Some of these turn the text after them around, or hide it.
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu
const REPLACEMENT = '\u{fffd}'

/** Text as it can stand on one line: in whole characters, with no control among them. */
export const plain = (text: string): string =>
  text
    .slice(0, LONGEST)
    .toWellFormed()
    .normalize('NFC')
    .replace(SPACES, ' ')
    .replace(INVISIBLE, '')
    .trim()

const ASCII = /^[ -~]*$/

/** Text in the letters the font has; for any other stands the mark that says so. */
export const printable = (typeface: Typeface, weight: Weight, text: string): string => {
  const line = plain(text)
  if (ASCII.test(line)) return line
  const { font } = typeface[weight]
  const shown = (letter: string) => font.hasGlyphForCodePoint(letter.codePointAt(0) ?? 0)
  return Array.from(line, (letter) => (shown(letter) ? letter : REPLACEMENT)).join('')
}
