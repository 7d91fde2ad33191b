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

/** One statement checks and renews, so that several processes can share a database. */
const USE = `update live_card_sessions s set used_at = r.used_at
  from unnest($1::text[], $2::timestamptz[]) as r(digest, used_at)
  where s.digest = r.digest and s.used_at >= r.used_at - ${ALIVE}
  returning s.digest, ${HOLDER}`

type Use = {
  readonly digest: string
  readonly at: Date
  readonly resolve: (holder: CardHolder | undefined) => void
  readonly reject: (error: unknown) => void
}

/** The first use of each session, in the order in which they came, and what is left. */
const firstOfEach = (uses: readonly Use[]): { readonly first: Use[]; readonly rest: Use[] } => {
  const taken = new Set<string>()
  const [first, rest]: [Use[], Use[]] = [[], []]
  for (const use of uses) {
    const list = taken.has(use.digest) ? rest : first
    taken.add(use.digest)
    list.push(use)
  }
  return { first, rest }
}

/**
 * Uses that arrive while one statement runs go into the next one together, one of each session:
 * with many machines the statement, and not its work, is what costs.
 */
const createUses = (database: Pool): LiveCardSessions['use'] => {
  let waiting: Use[] = []
  let isRunning = false

  const useAll = async (uses: readonly Use[]): Promise<void> => {
    const values = [uses.map(({ digest }) => digest), uses.map(({ at }) => at)]
    const { rows } = await database.query<CardHolder & { digest: string }>(USE, values)
    const holders = new Map(rows.map(({ digest, ...holder }) => [digest, holder]))
    for (const { digest, resolve } of uses) resolve(holders.get(digest))
  }
  const run = async (): Promise<void> => {
    isRunning = true
    while (waiting.length > 0) {
      const { first, rest } = firstOfEach(waiting)
      waiting = rest
      await useAll(first).catch((error: unknown) => {
        for (const { reject } of first) reject(error)
      })
    }
    isRunning = false
  }
  return (digest, at) =>
    new Promise((resolve, reject) => {
      waiting.push({ digest, at, resolve, reject })
      if (!isRunning) void run()
    })
}

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
    use: createUses(database),
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
