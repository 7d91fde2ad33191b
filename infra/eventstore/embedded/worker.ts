import { parentPort, workerData } from 'node:worker_threads'
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { openDatabase } from './database.ts'
import { noFaults } from './faults.ts'
import { createLog } from './log.ts'
import type { FromWorker, Settings, ToWorker } from './messages.ts'
import { startServer } from './server.ts'

const UNLIMITED_PAGES = 4_294_967_294

async function main(settings: Settings, post: (message: FromWorker) => void): Promise<void> {
  const database = openDatabase(settings.directory)
  const faults = noFaults()
  const log = createLog(database, faults)
  const server = await startServer(log, faults, settings.port).catch((error) => {
    database.close()
    throw error
  })

  const obey = async (message: ToWorker): Promise<void> => {
    if (message.kind === 'faults') {
      Object.assign(faults, message.faults)
      const pages = faults.fullDisk ? 1 : UNLIMITED_PAGES
      // SQLite raises a limit below the present size to that size.
      database.exec(`PRAGMA max_page_count = ${pages}`)
    } else if (message.kind === 'cut_streams') server.cutStreams()
    else if (message.kind === 'wipe') await log.wipe()
    else {
      await log.drain()
      await server.close()
      // Closing the last connection moves the write-ahead log into the database file.
      database.close()
    }
    post({ kind: 'done', request: message.request })
  }
  parentPort?.on('message', (message: ToWorker) => void obey(message))
  post({ kind: 'listening', port: server.port })
}

if (parentPort) {
  // Faults are reported through the returned handle; the library would print them as well.
  setLogVerbosity(logVerbosity.NONE)
  const port = parentPort
  main(workerData as Settings, (message) => port.postMessage(message)).catch((error: unknown) => {
    port.postMessage({
      kind: 'failed',
      reason: error instanceof Error ? error.message : String(error),
    } satisfies FromWorker)
  })
}
