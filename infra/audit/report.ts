/** One thing that is not as the log says: shown to people as a line. */
export type Difference = {
  /** The check or the table. */
  readonly what: string
  /** The row, the stream, the book. */
  readonly where: string
  readonly expected: string
  readonly actual: string
}

export type Figures = {
  /** The log position up to which the read models were compared. */
  readonly position: string
  readonly events: number
  readonly streams: number
  readonly books: number
  readonly accounts: number
  readonly entries: number
  readonly lines: number
  readonly open_holds: number
  readonly periods: number
  readonly scores: number
  /** Rows compared, by table; those that begin with `ledger_` come from the ledger's own fold. */
  readonly rows: Readonly<Record<string, number>>
  readonly duration_ms: number
}

export type Report = {
  readonly figures: Figures
  /** What limits the proof without contradicting it. */
  readonly remarks: readonly string[]
  readonly differences: { readonly total: number; readonly shown: readonly Difference[] }
}

export type Findings = {
  add(difference: Difference): void
  /** Counts differences that are not shown one by one. */
  count(more: number): void
  /** How many more can be shown. */
  room(): number
  readonly differences: () => Report['differences']
}

const MAX_SHOWN = 100
const MAX_TEXT = 500

const shorten = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text

export const createFindings = (): Findings => {
  const shown: Difference[] = []
  let total = 0
  return {
    add: ({ what, where, expected, actual }) => {
      total += 1
      if (shown.length === MAX_SHOWN) return
      shown.push({ what, where, expected: shorten(expected), actual: shorten(actual) })
    },
    count: (more) => {
      total += more
    },
    room: () => MAX_SHOWN - shown.length,
    differences: () => ({ total, shown }),
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
