import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import {
  isRoot,
  killHard,
  lineOf,
  mountSmallDisk,
  processesWith,
  runUntilLine,
  temporaryDirectory,
  until,
} from './infra-support.ts'

const source = new URL('../infra/postgres/embedded.ts', import.meta.url)

// A server starts in a fraction of a second, but other suites share the machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** One cluster is made and then copied for each test, because making one takes a second. */
let template: string

beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(template, 0o711)
  const postgres = await startEmbeddedPostgres({ directory: join(template, 'postgres') })
  await run(postgres.url, 'create table notes (text text)', "insert into notes values ('kept')")
  await postgres.close()
})

afterAll(() => rmSync(template, { recursive: true, force: true }))

function preparedDirectory(): string {
  const parent = temporaryDirectory()
  execFileSync('cp', ['-a', join(template, 'postgres'), parent])
  return join(parent, 'postgres')
}

async function start(directory: string, port?: number): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory, ...(port && { port }) })
  onTestFinished(() => postgres.close())
  return postgres
}

async function run(url: string, ...statements: readonly string[]): Promise<unknown[][]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    let rows: unknown[][] = []
    for (const text of statements) {
      rows = (await client.query<unknown[]>({ text, rowMode: 'array' })).rows
    }
    return rows
  } finally {
    await client.end()
  }
}

const notes = (url: string) => run(url, 'select text from notes')
/** Never an accidental `undefined` or 0, which as a process number is everybody. */
function only(pids: readonly number[]): number {
  const [pid] = pids
  if (pid === undefined || pids.length > 1) throw new Error(`expected one process, not ${pids}`)
  return pid
}

const postmasters = (directory: string) => processesWith('bin/postgres', `${directory}/cluster`)

/** The fifth field of /proc/<pid>/stat, counted from behind the name, which may hold spaces. */
function processGroup(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]
}

function startInChild(directory: string, account: { uid?: number; gid?: number } = {}) {
  const script = `
    import { startEmbeddedPostgres } from '${source.href}'
    const postgres = await startEmbeddedPostgres({ directory: '${directory}' })
    console.log(postgres.url)`
  return runUntilLine(script, account)
}

describe('embedded Postgres', () => {
  test('makes a cluster, keeps rows over a restart and leaves no process behind', async () => {
    const directory = preparedDirectory()
    const first = await start(directory)
    await run(first.url, "insert into notes values ('new')")
    expect(await run(first.url, 'show server_version_num')).toEqual([
      [expect.stringMatching(/^18/)],
    ])
    await Promise.all([first.close(), first.close()])
    expect(processesWith(directory)).toEqual([])
    expect(await notes((await start(directory)).url)).toEqual([['kept'], ['new']])
  })

  test('listens on the loopback only, wants a password, and commits durably', async () => {
    const directory = preparedDirectory()
    const { url } = await start(directory)
    const shown = ['listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit']
    const settings = await run(
      url,
      `select setting from pg_settings where name in ('${shown.join("','")}') order by name`,
    )
    expect(settings.flat()).toEqual(['on', '127.0.0.1', 'on', ''])
    const guess = new URL(url)
    guess.password = 'guess'
    await expect(notes(guess.href)).rejects.toMatchObject({ code: '28P01' })
    expect(statSync(join(directory, 'password')).mode & 0o777).toBe(0o600)
  })

  test('starts anew after an interrupted initdb', async () => {
    const directory = join(temporaryDirectory(), 'postgres')
    execFileSync('mkdir', ['-p', join(directory, 'cluster.new/base')])
    writeFileSync(join(directory, 'password'), 'of the interrupted one')
    const { url } = await start(directory)
    expect(await run(url, 'select 1')).toEqual([[1]])
  })

  test('Ctrl-C in the terminal reaches Daybook alone, which may still need it to drain', async () => {
    const directory = preparedDirectory()
    await start(directory)
    const groups = processesWith(directory).map((pid) => processGroup(pid))
    expect(groups.length).toBeGreaterThan(0)
    expect(groups).not.toContain(processGroup(process.pid))
  })

  test('says so when it ends by itself', async () => {
    const directory = preparedDirectory()
    const postgres = await start(directory)
    const postmaster = only(postmasters(directory))
    process.kill(postmaster, 'SIGQUIT')
    expect(await postgres.lost).toMatch(/^Postgres ended by itself: .*shut down/)
  })
})

describe('after a kill -9 of Daybook', () => {
  test('Postgres ends soon and starts again with every row', async () => {
    const directory = preparedDirectory()
    const { child, line } = await startInChild(directory)
    await run(line, "insert into notes values ('committed')")
    await killHard(child)
    await until('the postmaster has ended', () => postmasters(directory).length === 0)
    expect(await notes((await start(directory)).url)).toEqual([['kept'], ['committed']])
  })

  test('a postmaster that was left behind is stopped, so that there are never two', async () => {
    const directory = preparedDirectory()
    const { child, line } = await startInChild(directory)
    const orphan = only(postmasters(directory))
    const guard = only(processesWith('daybook-postgres-guard', String(orphan)))
    process.kill(guard, 'SIGKILL')
    await killHard(child)
    await run(line, "insert into notes values ('into the orphan')")
    const { url } = await start(directory)
    expect(postmasters(directory)).not.toContain(orphan)
    expect(postmasters(directory).length).toBe(1)
    expect(await notes(url)).toEqual([['kept'], ['into the orphan']])
  })

  test('a postmaster that was killed as well is recovered from', async () => {
    const directory = preparedDirectory()
    const postgres = await start(directory)
    const client = new Client({ connectionString: postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    await client.query("insert into notes values ('committed')")
    const postmaster = only(postmasters(directory))
    process.kill(postmaster, 'SIGKILL')
    await postgres.lost
    expect(await notes((await start(directory)).url)).toEqual([['kept'], ['committed']])
    await client.end()
  })

  test('its process number may since have gone to another process', async () => {
    const [directory, another] = [preparedDirectory(), preparedDirectory()]
    const bystander = await start(another)
    const postmaster = only(postmasters(another))
    writeFileSync(join(directory, 'cluster/postmaster.pid'), `${postmaster}\n`)
    expect(await notes((await start(directory)).url)).toEqual([['kept']])
    expect(await notes(bystander.url)).toEqual([['kept']])
  })
})

describe('faults are one line', () => {
  test('a taken port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const directory = preparedDirectory()
    expect(await lineOf(() => start(directory, port))).toBe(
      `Port ${port} on 127.0.0.1 is taken, so Postgres cannot listen there.`,
    )
    expect(processesWith(directory)).toEqual([])
  })

  test.each(['global/pg_control', 'PG_VERSION', 'postgresql.conf', 'global/pg_filenode.map'])(
    'damaged data: %s is lost',
    async (file) => {
      const directory = preparedDirectory()
      const path = join(directory, 'cluster', file)
      if (file === 'postgresql.conf') rmSync(path)
      else truncateSync(path)
      expect(await lineOf(() => start(directory))).toContain(`${directory}/cluster is damaged (`)
      expect(processesWith(directory)).toEqual([])
    },
  )

  test('data of another version', async () => {
    const directory = preparedDirectory()
    writeFileSync(join(directory, 'cluster/PG_VERSION'), '16\n')
    expect(await lineOf(() => start(directory))).toContain(
      'was written by Postgres 16, this is Postgres 18',
    )
  })

  test('a lost password', async () => {
    const directory = preparedDirectory()
    rmSync(join(directory, 'password'))
    expect(await lineOf(() => start(directory))).toContain('password is missing')
  })

  test('a disk that is full before the first start', async (context) => {
    const disk = temporaryDirectory()
    if (!mountSmallDisk(disk, 'size=20m,mode=755')) context.skip('mounting is not permitted here')
    expect(await lineOf(() => start(join(disk, 'postgres')))).toBe(
      `The disk that holds ${disk}/postgres is full, so Postgres cannot start.`,
    )
    expect(existsSync(join(disk, 'postgres/cluster'))).toBe(false)
  })

  test('a disk that is full at a later start', async (context) => {
    const disk = temporaryDirectory()
    if (!mountSmallDisk(disk, 'size=80m,mode=755')) context.skip('mounting is not permitted here')
    execFileSync('cp', ['-a', join(template, 'postgres'), disk])
    try {
      writeFileSync(join(disk, 'filler'), Buffer.alloc(80 * 1024 * 1024))
    } catch {
      // Filled to the last byte, which is what it is for.
    }
    expect(await lineOf(() => start(join(disk, 'postgres')))).toContain('is full')
    expect(processesWith(disk)).toEqual([])
  })
})

describe.skipIf(!isRoot)(
  'as root (skipped for others, who run the tests above as themselves)',
  () => {
    const nobody = { uid: 65_534, gid: 65_534 }

    test('an ordinary user starts it as itself', async (context) => {
      const parent = temporaryDirectory()
      chownSync(parent, nobody.uid, nobody.gid)
      try {
        execFileSync(process.execPath, ['-e', `fs.accessSync('${source.pathname}')`], nobody)
      } catch {
        context.skip('this checkout cannot be read by an ordinary user')
      }
      const directory = join(parent, 'postgres')
      const { child, line } = await startInChild(directory, nobody)
      expect(await run(line, 'select 1')).toEqual([[1]])
      expect(statSync(join(directory, 'cluster')).uid).toBe(nobody.uid)
      await killHard(child)
      await until('the postmaster has ended', () => postmasters(directory).length === 0)
    })

    test('below a closed directory the data moves, and is found again', async () => {
      const closed = temporaryDirectory()
      chmodSync(closed, 0o700)
      const directory = join(closed, 'postgres')
      const home = homeOf(directory)
      const first = await start(directory)
      expect(first.detail).toContain(`data in ${home}`)
      expect(existsSync(join(home, 'cluster/PG_VERSION'))).toBe(true)
      await run(first.url, 'create table notes (text text)', "insert into notes values ('kept')")
      await first.close()
      expect(await notes((await start(directory)).url)).toEqual([['kept']])
    })

    test('moved data of a deleted directory is not taken for that of a new one', async () => {
      const closed = temporaryDirectory()
      chmodSync(closed, 0o700)
      const directory = join(closed, 'postgres')
      execFileSync('mkdir', ['-p', join(homeOf(directory), 'cluster')])
      const { url } = await start(directory)
      expect(await run(url, 'select 1')).toEqual([[1]])
    })

    test('a moved directory takes its data along, a copied one is refused', async () => {
      const closed = temporaryDirectory()
      chmodSync(closed, 0o700)
      const [original, copy, moved] = ['original', 'copy', 'moved'].map((name) =>
        join(closed, name),
      )
      if (!original || !copy || !moved) throw new Error('three names')
      const home = homeOf(original)
      execFileSync('mkdir', ['-p', original])
      execFileSync('cp', ['-a', join(template, 'postgres'), home])
      execFileSync('mv', [join(home, 'password'), original])
      writeFileSync(join(home, 'belongs-to'), original)
      writeFileSync(join(original, 'location'), home)
      execFileSync('cp', ['-a', original, copy])
      expect(await lineOf(() => start(copy))).toContain(`is a copy of ${original}`)
      execFileSync('mv', [original, moved])
      expect(await notes((await start(moved)).url)).toEqual([['kept']])
      expect(readFileSync(join(home, 'belongs-to'), 'utf8')).toBe(moved)
    })

    function homeOf(directory: string): string {
      const hash = createHash('sha256').update(directory).digest('hex').slice(0, 16)
      const home = join('/var/lib/daybook', hash)
      onTestFinished(() => rmSync(home, { recursive: true, force: true }))
      return home
    }
  },
)
