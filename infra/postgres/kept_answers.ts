import type { Pool } from 'pg'
import type { Claim, Kept, KeptAnswers, Keyed } from '../../api/kept_answers.ts'

// Two processes that start together must not create the table at the same time.
const createTable = `
  select pg_advisory_xact_lock(hashtext('kept_answers'));
  create table if not exists kept_answers (
    scope text,
    actor text,
    key text,
    digest text not null,
    since timestamptz not null,
    held_at timestamptz not null,
    kept jsonb,
    primary key (scope, actor, key)
  );
  create index if not exists kept_answers_by_age on kept_answers (since)`

const LIFE = `interval '24 hours'`
/** Longer than any request takes: who has not answered by then has ended. */
const LONGEST = `interval '60 seconds'`
const SWEEP_EVERY_MS = 3_600_000

/** Takes the key when nobody has it, or when its day is over. */
const TAKE = `insert into kept_answers as k (scope, actor, key, digest, since, held_at)
  values ($1, $2, $3, $4, $5, $5)
  on conflict (scope, actor, key) do update
    set digest = excluded.digest, since = excluded.since, held_at = excluded.since, kept = null
    where k.since <= excluded.since - ${LIFE}
  returning since`

/** Goes on with what another process left. */
const TAKE_OVER = `update kept_answers set held_at = $5
  where scope = $1 and actor = $2 and key = $3 and digest = $4 and kept is null
    and held_at <= $5::timestamptz - ${LONGEST}
  returning since`

const FIND = `select digest, kept from kept_answers where scope = $1 and actor = $2 and key = $3`

const nameOf = ({ scope, actor, key }: Keyed): string[] => [scope, actor, key]

/** Over the table `kept_answers`, which it creates: no read model, and little loss when lost. */
export const createKeptAnswers = async (database: Pool): Promise<KeptAnswers> => {
  await database.query(createTable)
  let swept_ms = Number.NEGATIVE_INFINITY

  const sweep = async (at: Date): Promise<void> => {
    if (Math.abs(at.getTime() - swept_ms) < SWEEP_EVERY_MS) return
    swept_ms = at.getTime()
    await database.query(`delete from kept_answers where since <= $1::timestamptz - ${LIFE}`, [at])
  }

  const claim = async (asked: Keyed, at: Date): Promise<Claim> => {
    await sweep(at)
    const values = [...nameOf(asked), asked.digest, at]
    for (const take of [TAKE, TAKE_OVER]) {
      const { rows } = await database.query<{ since: Date }>(take, values)
      if (rows[0]) return { is: 'first', since: rows[0].since }
    }
    type Row = { digest: string; kept: Kept | null }
    const { rows } = await database.query<Row>(FIND, nameOf(asked))
    const found = rows[0]
    if (found && found.digest !== asked.digest) return { is: 'another request' }
    return found?.kept ? { is: 'answered', kept: found.kept } : { is: 'under way' }
  }

  const change = async (asked: Keyed, what: string, value: unknown): Promise<void> => {
    await database.query(
      `update kept_answers set ${what} = $4 where scope = $1 and actor = $2 and key = $3`,
      [...nameOf(asked), value],
    )
  }
  return {
    claim,
    keep: (asked, kept) => change(asked, 'kept', JSON.stringify(kept)),
    release: (asked) => change(asked, 'held_at', '-infinity'),
  }
}
