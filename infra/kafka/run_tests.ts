/**
 * `npm run test:kafka`: the bus contract over a real Kafka, which Maven fetches once and the
 * machine's Java runs. Where one of them is missing it says so and ends well.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepareKafka, startKafka } from './server.ts'

const here = import.meta.dirname
const root = join(here, '..', '..')
const target = join(here, 'target')
const minimumJava = 17
const fetchTimeout_ms = 10 * 60_000

process.exitCode = await main()

async function main(): Promise<number> {
  const missing = missingTool() ?? fetchJars()
  if (missing) {
    process.stdout.write(`The Kafka tests were skipped: ${missing}\n`)
    return 0
  }
  const place = await prepareKafka()
  try {
    const server = await startKafka(place)
    try {
      return await runTests(place.brokers)
    } finally {
      await server.stop()
    }
  } finally {
    place.remove()
  }
}

function missingTool(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0)
  if (version < minimumJava) return `Java ${minimumJava} or newer is not on the path`
  if (spawnSync('mvn', ['-version']).status !== 0) return 'Maven (mvn) is not on the path'
  return undefined
}

/** Says why the jars could not be fetched; fetches only what another `pom.xml` asked for. */
function fetchJars(): string | undefined {
  const pom = join(here, 'pom.xml')
  const wanted = createHash('sha256').update(readFileSync(pom)).digest('hex')
  const mark = join(target, 'fetched')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return undefined
  process.stdout.write('Fetching Kafka from Maven Central (about 43 MB, once)\n')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  const fetched = spawnSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies'], {
    encoding: 'utf8',
    timeout: fetchTimeout_ms,
  })
  if (fetched.status !== 0) {
    const log = join(target, 'maven.log')
    writeFileSync(log, `${fetched.stdout}${fetched.stderr}`)
    return `Maven could not fetch Kafka, see ${log}`
  }
  writeFileSync(mark, wanted)
  return undefined
}

async function runTests(brokers: string): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--dir', 'test/kafka'], {
    cwd: root,
    // kafkajs sets a timer in the past once per process, which Node 24 would report each time.
    env: {
      ...process.env,
      KAFKA_BROKERS: brokers,
      NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
    },
    stdio: 'inherit',
  })
  // Ctrl-C reaches the tests by itself; staying alive lets the broker be stopped after them.
  const wait = () => undefined
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', wait).on('SIGTERM', pass)
  const [code] = (await once(child, 'exit')) as [number | null]
  process.off('SIGINT', wait).off('SIGTERM', pass)
  return code ?? 1
}
