import type { Pool, QueryResult, QueryResultRow } from 'pg'

const MAX_NAMES = 500
const PLAN_NO_LONGER_FITS = '0A000'

type Query = (text: string, values?: unknown[]) => Promise<QueryResult<QueryResultRow>>

/**
 * The same pool, whose parametrised queries are planned once on each connection and not each time:
 * to plan a balance costs more than to read it. A table that was rebuilt with other columns makes
 * an old plan void; then the query goes without one.
 */
export const withPreparedQueries = (pool: Pool): Pool => {
  const names = new Map<string, string>()
  const plain = pool.query.bind(pool) as unknown as Query &
    ((query: { name: string; text: string; values: unknown[] }) => ReturnType<Query>)

  const nameOf = (text: string): string | undefined => {
    const known = names.get(text)
    if (known !== undefined || names.size >= MAX_NAMES) return known
    const name = `daybook_${names.size}`
    names.set(text, name)
    return name
  }
  const query: Query = async (text, values) => {
    const name = values && typeof text === 'string' ? nameOf(text) : undefined
    if (name === undefined || values === undefined) return plain(text, values)
    try {
      return await plain({ name, text, values })
    } catch (error) {
      if ((error as { code?: unknown }).code !== PLAN_NO_LONGER_FITS) throw error
      return plain(text, values)
    }
  }
  pool.query = query as unknown as Pool['query']
  return pool
}
