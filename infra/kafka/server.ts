/** A real Kafka broker for tests: one KRaft node from Maven's jars, in a temporary directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'

/** A formatted storage directory with its ports: what stays the same over a restart. */
export type KafkaPlace = {
  readonly directory: string
  readonly brokers: string
  remove(): void
}

export type KafkaServer = {
  /** Asks it to shut down, and kills it when it has not after 20 s. */
  stop(): Promise<void>
}

const jars = join(import.meta.dirname, 'target', 'jars')
const heap = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const logging = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
const startTimeout_ms = 60_000
const stopTimeout_ms = 20_000

/** Needs the jars in `target/jars`; see `run_tests.ts`. Rejects when Java cannot format. */
export async function prepareKafka(): Promise<KafkaPlace> {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-kafka-'))
  const [broker, controller] = await freePorts()
  const properties = join(directory, 'server.properties')
  writeFileSync(properties, settings(directory, broker, controller))
  const id = randomBytes(16).toString('base64url')
  // One id in 64 begins with a hyphen, which behind a space would be read as an option.
  const cluster = `--cluster-id=${id}`
  const format = run(directory, ['kafka.tools.StorageTool', 'format', cluster, '-c', properties])
  const [code] = (await once(format, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`Kafka's storage was not formatted:\n${logOf(directory)}`)
  return {
    directory,
    brokers: `127.0.0.1:${broker}`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Resolves when the broker answers. Rejects when it ends, or does not answer within 60 s. */
export async function startKafka(place: KafkaPlace): Promise<KafkaServer> {
  const child = run(place.directory, ['kafka.Kafka', join(place.directory, 'server.properties')])
  const exited = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeout_ms)
    await exited
    clearTimeout(timer)
  }
  const ended = exited.then(() => {
    throw new Error(`Kafka ended:\n${logOf(place.directory)}`)
  })
  ended.catch(() => undefined)
  try {
    await Promise.race([ended, answers(place.brokers)])
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

async function answers(brokers: string): Promise<void> {
  const retry = { retries: startTimeout_ms / 500, initialRetryTime: 250, maxRetryTime: 500 }
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry })
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}

function run(directory: string, command: readonly string[]): ChildProcess {
  const log = openSync(join(directory, 'server.log'), 'a')
  const child = spawn('java', [...heap, logging, '-cp', join(jars, '*'), ...command], {
    cwd: directory,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  return child
}

function logOf(directory: string): string {
  return readFileSync(join(directory, 'server.log'), 'utf8').slice(-2_000)
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address && typeof address === 'object') ports.push(address.port)
  }
  for (const server of servers) server.close()
  const [first, second] = ports
  if (!first || !second) throw new Error('no free ports for Kafka')
  return [first, second]
}

function settings(directory: string, broker: number, controller: number): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=BROKER://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=BROKER://127.0.0.1:${broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=${join(directory, 'data')}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`
}
