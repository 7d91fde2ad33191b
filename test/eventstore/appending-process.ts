import { randomUUID } from 'node:crypto'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { startEmbeddedEventStore } from '../../infra/eventstore/embedded/index.ts'

/**
 * Appends to the log in the directory it is given until it is killed, and prints
 * `stream id id ...` for each append that was acknowledged.
 */
const server = await startEmbeddedEventStore({ directory: process.argv[2] ?? '' })
const store = connectEventStore({ url: server.url })

async function appendForEver(stream: string): Promise<never> {
  for (let revision = -1; ; ) {
    const ids = [randomUUID(), randomUUID(), randomUUID()]
    const events = ids.map((id) => ({ id, type: 'Tested', data: {}, metadata: {} }))
    const appended = await store.append(stream, revision, events)
    if (appended.outcome === 'conflict') throw new Error(`conflict in ${stream}`)
    revision = appended.revision
    process.stdout.write(`${stream} ${ids.join(' ')}\n`)
  }
}

await Promise.all(['one', 'two', 'three', 'four'].map(appendForEver))
