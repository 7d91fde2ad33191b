import { Pool, types } from 'pg'
import { StartError } from '../start/error.ts'

/**
 * How columns arrive: int8 and numeric as strings of digits, because a JS number would round them;
 * date and timestamp as written, because a `Date` would shift them by the machine's time zone;
 * timestamptz as `Date`; the rest as `pg` has it.
 */
const asWritten: ReadonlySet<number> = new Set([
  types.builtins.INT8,
  types.builtins.NUMERIC,
  types.builtins.DATE,
  types.builtins.TIMESTAMP,
])

const columnTypes = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (asWritten.has(oid)) return (text: string) => text
    return format === 'binary'
      ? types.getTypeParser(oid, 'binary')
      : types.getTypeParser(oid, 'text')
  },
}

/**
 * A pool of at most `max` connections which has proven that the server answers. `name` appears in
 * pg_stat_activity. A statement is given up by the server after 30 s, waiting for a lock after
 * 10 s, waiting for a free connection after 5 s. Throws `StartError` when the server cannot be used.
 */
export async function connectPostgres(options: {
  url: string
  name: string
  max: number
  /** What is written can be made again: a commit need not wait for the disk. */
  derived?: boolean
}): Promise<Pool> {
  const pool = new Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 60_000,
    // The server's own limit comes first; this one is for a server that no longer answers at all.
    query_timeout: 40_000,
    types: columnTypes,
    ...(options.derived && { options: '-c synchronous_commit=off' }),
  })
  // An idle connection that breaks is replaced by the pool; without a listener it ends the process.
  pool.on('error', () => undefined)
  try {
    await pool.query('select 1')
  } catch (error) {
    await pool.end()
    throw new StartError(`The database at ${withoutPassword(options.url)} ${reason(error)}.`, error)
  }
  return pool
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known: { readonly [code: string]: string } = {
    ECONNREFUSED: 'refuses connections: see that it runs, and that host and port are right',
    ENOTFOUND: 'has a host name that cannot be resolved',
    EAI_AGAIN: 'has a host name that cannot be resolved at present',
    ETIMEDOUT: 'does not answer',
    EHOSTUNREACH: 'cannot be reached over the network',
    ENETUNREACH: 'cannot be reached over the network',
    '28P01': 'refuses the user name or password',
    '28000': 'refuses this user',
    '3D000': 'does not exist on that server',
    '53300': 'has no connection left for us',
  }
  return known[code] ?? `cannot be used: ${error instanceof Error ? error.message : String(error)}`
}

function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return '(unreadable DATABASE_URL)'
  const url = new URL(text)
  if (url.password !== '') url.password = '***'
  return `${url.protocol}//${url.username ? `${url.username}@` : ''}${url.host}${url.pathname}`
}
