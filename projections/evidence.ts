/** Scores beside what became known of their movements: what models and policies are judged by. */
import type { Database } from './table.ts'

/** Movements booked up to then are old enough for their frauds to be known. */
export type Matured = {
  readonly book: string
  readonly model: string
  readonly from: Date
  readonly until: Date
}

/** Rows in columns; `more`: there were older ones too, which were left out. */
export type Evidence = {
  readonly scores: Float32Array
  /** 1: labelled fraud. What nobody labelled in all that time counts as legitimate. */
  readonly labels: Uint8Array
  readonly more: boolean
}

const MOST_ROWS = 100_000

const known = `
  from scores s left join labels l on l.book = s.book and l.entry = s.entry
  where s.book = $1 and s.model = $2 and s.booked_at > $3 and s.booked_at <= $4`

type Row = { readonly probability: number; readonly fraud: boolean }

const evidenceOf = (rows: readonly Row[]): Evidence => {
  const kept = rows.slice(0, MOST_ROWS)
  return {
    scores: Float32Array.from(kept, ({ probability }) => probability),
    labels: Uint8Array.from(kept, ({ fraud }) => (fraud ? 1 : 0)),
    more: rows.length > MOST_ROWS,
  }
}

/** Of one model, the newest first. */
export const readMatured = async (
  sql: Database,
  { book, model, from, until }: Matured,
): Promise<Evidence> => {
  const { rows } = await sql.query<Row>(
    `select s.probability, l.fraud is true as fraud ${known}
     order by s.position desc, s.entry limit ${MOST_ROWS + 1}`,
    [book, model, from, until],
  )
  return evidenceOf(rows)
}

export type ContestedEvidence = Evidence & {
  /** What the challenger said of the same movements. */
  readonly challenging: Float32Array
  /** Minor units; exact up to 2^53, which is enough to weigh by. */
  readonly amounts: Float64Array
}

/** Of a model and one that challenged it: movements of one asset that both scored. */
export const readContested = async (
  sql: Database,
  { book, model, from, until }: Matured,
  { challenger, asset }: { readonly challenger: string; readonly asset: string },
): Promise<ContestedEvidence> => {
  const said = `(select (c->>'probability')::float8 from jsonb_array_elements(s.challengers) c
    where c->>'model' = $5)`
  const { rows } = await sql.query<Row & { challenging: number; amount: string }>(
    `select s.probability, l.fraud is true as fraud, ${said} as challenging, s.amount ${known}
       and s.asset = $6
       and s.challengers @> jsonb_build_array(jsonb_build_object('model', $5::text))
     order by s.position desc, s.entry limit ${MOST_ROWS + 1}`,
    [book, model, from, until, challenger, asset],
  )
  const kept = rows.slice(0, MOST_ROWS)
  return {
    ...evidenceOf(rows),
    challenging: Float32Array.from(kept, ({ challenging }) => challenging),
    amounts: Float64Array.from(kept, ({ amount }) => Number(amount)),
  }
}

export type Sample = {
  readonly probability: number
  readonly features: Readonly<Record<string, number>>
}

const MOST_SAMPLED = 20_000

/** At most so many movements that were booked in this time, spread evenly over it. */
export const sampleScores = async (
  sql: Database,
  { book, model, from, until }: Matured,
): Promise<Sample[]> => {
  const { rows } = await sql.query<Sample>(
    // Numbered first, and only then joined to what is large: it spares sorting all the features.
    `with numbered as (
       select s.position, s.entry, row_number() over (order by s.position, s.entry) as place,
         count(*) over () as of
       from scores s
       where s.book = $1 and s.model = $2 and s.booked_at > $3 and s.booked_at <= $4)
     select s.probability, s.features
     from numbered n join scores s on s.book = $1 and s.entry = n.entry
     where n.place % greatest(1, ceil(n.of / ${MOST_SAMPLED}.0)::bigint) = 0
     order by n.position, n.entry`,
    [book, model, from, until],
  )
  return rows
}
