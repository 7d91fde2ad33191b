import { startEmbeddedEventStore } from '../../infra/eventstore/embedded/index.ts'

/**
 * Serves the log in the directory it is given. Says where as its first message, and answers each
 * message with the memory it holds, in bytes.
 */
const server = await startEmbeddedEventStore({ directory: process.argv[2] ?? '' })
process.on('message', () => process.send?.(process.memoryUsage.rss()))
process.send?.(server.url)
