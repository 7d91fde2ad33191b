import type { Pool } from 'pg'
import type { CardHolder, LiveCardSessions } from '../../commands/ports.ts'
import { CARD_SESSION_SECONDS } from '../../domain/card_sessions.ts'

// Two processes that start together must not create the table at the same time.
const createTable = `
  select pg_advisory_xact_lock(hashtext('live_card_sessions'));
  create table if not exists live_card_sessions (
    digest text primary key,
    session text not null unique,
    card text not null,
    customer text not null,
    book text not null,
    account text not null,
    used_at timestamptz not null
  ) with (fillfactor = 50);
  create index if not exists live_card_sessions_by_card on live_card_sessions (card)`

const HOLDER = 'session, card, customer, book, account'
const ALIVE = `interval '${CARD_SESSION_SECONDS} seconds'`

/** One statement checks and renews, so two machines can share a database. */
const USE = `update live_card_sessions set used_at = $2
  where digest = $1 and used_at >= $2::timestamptz - ${ALIVE} returning ${HOLDER}`

/** Over the table `live_card_sessions`, which it creates: no read model, and no loss when lost. */
export const createCardSessions = async (database: Pool): Promise<LiveCardSessions> => {
  await database.query(createTable)
  return {
    open: async (digest, { session, card, customer, book, account }, at) => {
      await database.query(
        `insert into live_card_sessions (digest, ${HOLDER}, used_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [digest, session, card, customer, book, account, at],
      )
    },
    use: async (digest, at) => {
      const { rows } = await database.query<CardHolder>(USE, [digest, at])
      return rows[0]
    },
    end: async (session) => {
      await database.query('delete from live_card_sessions where session = $1', [session])
    },
    ofCard: async (card) => {
      const { rows } = await database.query<{ session: string }>(
        'select session from live_card_sessions where card = $1',
        [card],
      )
      return rows.map(({ session }) => session)
    },
    expired: async (at, limit) => {
      const { rows } = await database.query<CardHolder>(
        `select ${HOLDER} from live_card_sessions
         where used_at < $1::timestamptz - ${ALIVE} order by used_at limit $2`,
        [at, limit],
      )
      return rows
    },
  }
}
