/** The embedded bus on disk: topics, messages, the groups' offsets and the relay's position. */
import { DatabaseSync } from 'node:sqlite'
import type { Position } from '../../domain/log.ts'
import type { Message, TopicMessages } from './port.ts'

/** What a partition keeps. The newest message is always kept: it marks where the next one goes. */
export type Retention = {
  readonly maximumMessages: number
  readonly maximumAge_ms: number
  /** Above this even messages that a group has not read yet go. */
  readonly hardCapMessages: number
}

/** The next offset of each partition. */
export type Topic = { readonly id: number; readonly name: string; readonly next: number[] }

export type Storage = ReturnType<typeof openStorage>

/** `application_id` of the file, "DBBS"; a file of another program is refused. */
const applicationId = 0x44424253
const batchLimitBytes = 4 * 1024 * 1024
/** So that tidying up never holds the thread for more than some milliseconds. */
const trimLimitMessages = 4_096

const schema = `
  CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL);
  CREATE TABLE messages (
    topic INTEGER NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    key TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, headers TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (topic, partition, offset)
  ) WITHOUT ROWID;
  CREATE TABLE offsets (
    group_name TEXT NOT NULL, topic INTEGER NOT NULL, partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
  ) WITHOUT ROWID;
  CREATE TABLE positions (
    name TEXT PRIMARY KEY, commit_position TEXT NOT NULL, prepare_position TEXT NOT NULL
  ) WITHOUT ROWID;
`

/**
 * Opens or creates the file; only one process may have it open. Throws when it is damaged, in use,
 * or another program's. After a power cut the last transactions may be missing, but whole
 * transactions only, so that position and messages always agree.
 */
export function openStorage(file: string, partitions: number) {
  const database = openDatabase(file)
  const sql = prepare(database)
  const topics = new Map<string, Topic>()

  function inTransaction<Result>(work: () => Result): Result {
    sql.begin.run()
    try {
      const result = work()
      sql.commit.run()
      return result
    } catch (error) {
      if (database.isTransaction) sql.rollback.run()
      throw error
    }
  }

  function loadTopic(name: string): Topic {
    sql.addTopic.run(name, partitions)
    const row = sql.topic.get(name) as { id: number; partitions: number }
    const next = Array.from({ length: row.partitions }, (_, partition) => {
      const newest = sql.newest.get(row.id, partition) as { newest: number | null }
      return newest.newest === null ? 0 : newest.newest + 1
    })
    return { id: row.id, name, next }
  }

  /** Creates the topic when it is new. */
  function topic(name: string): Topic {
    const known = topics.get(name) ?? loadTopic(name)
    topics.set(name, known)
    return known
  }

  function first(of: Topic, partition: number): number {
    return (sql.oldest.get(of.id, partition) as { oldest: number | null }).oldest ?? 0
  }

  /** Where the group goes on; nothing is written down. */
  function nextOf(group: string, of: Topic, partition: number): number {
    const row = sql.offset.get(group, of.id, partition) as { next: number } | undefined
    return Math.max(row?.next ?? 0, Math.min(first(of, partition), of.next[partition] ?? 0))
  }

  return {
    topic,

    /** One transaction for all batches and, where given, a named position in the event log. */
    publish(batches: readonly TopicMessages[], mark?: { name: string; position: Position }): void {
      const next = new Map<Topic, number[]>()
      const now = Date.now()
      const found = batches.map((batch) => ({ of: topic(batch.topic), messages: batch.messages }))
      inTransaction(() => {
        for (const { of, messages } of found) {
          const offsets = next.get(of) ?? [...of.next]
          next.set(of, offsets)
          for (const message of messages) {
            const partition = partitionOf(message.key, offsets.length)
            const offset = offsets[partition] ?? 0
            const { key, id, value } = message
            const headers = JSON.stringify(message.headers)
            sql.add.run(of.id, partition, offset, key, id, value, headers, now)
            offsets[partition] = offset + 1
          }
        }
        if (!mark) return
        sql.savePosition.run(mark.name, String(mark.position.commit), String(mark.position.prepare))
      })
      for (const [of, offsets] of next) of.next.splice(0, offsets.length, ...offsets)
    },

    read(of: Topic, partition: number, from: number, limit: number): Message[] {
      const messages: Message[] = []
      let size = 0
      for (const row of sql.read.iterate(of.id, partition, from, limit)) {
        const message = messageOf(of.name, partition, row as MessageRow)
        messages.push(message)
        size += message.value.length
        if (size >= batchLimitBytes) break
      }
      return messages
    },

    /** The group's next offset in each partition; a new group is written down where it begins. */
    join(group: string, of: Topic, fromBeginning: boolean): number[] {
      return inTransaction(() =>
        of.next.map((end, partition) => {
          sql.addOffset.run(group, of.id, partition, fromBeginning ? first(of, partition) : end)
          return (sql.offset.get(group, of.id, partition) as { next: number }).next
        }),
      )
    },

    commit(group: string, of: Topic, partition: number, next: number): void {
      sql.saveOffset.run(next, group, of.id, partition)
    },

    nextOf,

    lag: (group: string, of: Topic): number =>
      of.next.reduce((sum, end, partition) => sum + end - nextOf(group, of, partition), 0),

    topicNames: () => (sql.topics.all() as { name: string }[]).map(({ name }) => name),

    /** Deletes what the retention no longer asks for, at most some thousand messages a call. */
    trim(of: Topic, partition: number, retention: Retention): void {
      const end = of.next[partition] ?? 0
      const start = first(of, partition)
      const before = Date.now() - retention.maximumAge_ms
      const aged = sql.aged.get(of.id, partition, trimLimitMessages, before) as AgedRow
      const wanted = Math.max(end - retention.maximumMessages, (aged.offset ?? -1) + 1)
      const slowest = (sql.slowest.get(of.id, partition) as { next: number | null }).next ?? end
      const limit = Math.max(Math.min(wanted, slowest), end - retention.hardCapMessages)
      const through = Math.min(limit, end - 1, start + trimLimitMessages)
      if (through > start) sql.remove.run(of.id, partition, through)
    },

    position(name: string): Position | undefined {
      const row = sql.position.get(name) as PositionRow | undefined
      return row && { commit: BigInt(row.commit_position), prepare: BigInt(row.prepare_position) }
    },

    close(): void {
      database.close()
    },
  }
}

type MessageRow = { offset: number; key: string; id: string; value: string; headers: string }
type PositionRow = { commit_position: string; prepare_position: string }
type AgedRow = { offset: number | null }

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;')
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864;')
    const found = database.prepare('PRAGMA application_id').get() as { application_id: number }
    const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()
    if (found.application_id !== applicationId) {
      if ((tables as { count: number }).count > 0) throw new Error('it is not a bus of Daybook')
      database.exec(`BEGIN; ${schema} PRAGMA application_id = ${applicationId}; COMMIT;`)
    }
    return database
  } catch (error) {
    database.close()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the bus file ${file} cannot be opened: ${reason}`, { cause: error })
  }
}

function prepare(database: DatabaseSync) {
  const at = 'topic = ? AND partition = ?'
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    addTopic: database.prepare(
      'INSERT INTO topics (name, partitions) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    topics: database.prepare('SELECT name FROM topics ORDER BY name'),
    topic: database.prepare('SELECT id, partitions FROM topics WHERE name = ?'),
    newest: database.prepare(`SELECT max(offset) AS newest FROM messages WHERE ${at}`),
    oldest: database.prepare(`SELECT min(offset) AS oldest FROM messages WHERE ${at}`),
    add: database.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    read: database.prepare(
      `SELECT offset, key, id, value, headers FROM messages
       WHERE ${at} AND offset >= ? ORDER BY offset LIMIT ?`,
    ),
    addOffset: database.prepare('INSERT INTO offsets VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    offset: database.prepare(`SELECT next FROM offsets WHERE group_name = ? AND ${at}`),
    saveOffset: database.prepare(`UPDATE offsets SET next = ? WHERE group_name = ? AND ${at}`),
    slowest: database.prepare(`SELECT min(next) AS next FROM offsets WHERE ${at}`),
    aged: database.prepare(
      `SELECT max(offset) AS offset FROM
         (SELECT offset, published_at FROM messages WHERE ${at} ORDER BY offset LIMIT ?)
       WHERE published_at < ?`,
    ),
    remove: database.prepare(`DELETE FROM messages WHERE ${at} AND offset < ?`),
    position: database.prepare('SELECT * FROM positions WHERE name = ?'),
    savePosition: database.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?)'),
  }
}

/** FNV-1a of the key's UTF-16 units: the same key always lands in the same partition. */
function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % partitions
}

function messageOf(topic: string, partition: number, row: MessageRow): Message {
  const { offset, key, id, value } = row
  const headers = JSON.parse(row.headers) as Record<string, string>
  return { topic, partition, offset: String(offset), key, id, value, headers }
}
