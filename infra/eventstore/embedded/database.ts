import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const FILE = 'eventstore.sqlite'
/** Tells our file from any other SQLite database: the letters DBK and the layout's version. */
const APPLICATION_ID = 0x44424b01
/** 16 MiB of log between checkpoints: each costs two flushes of the main file. */
const CHECKPOINT_PAGES = 4096
const CACHE_KIB = 64 * 1024

/*
 * `recorded` is in milliseconds. `state` of a stream: 0 live, 1 soft-deleted, 2 tombstoned. The
 * limits of a stream are copied from the last event of its `$$` stream, so that reads need not
 * parse it.
 */
const SCHEMA = `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL DEFAULT -1,
    state INTEGER NOT NULL DEFAULT 0,
    has_metadata INTEGER NOT NULL DEFAULT 0,
    max_count INTEGER,
    max_age_s INTEGER,
    truncate_before INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (id),
    revision INTEGER NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    recorded INTEGER NOT NULL,
    record BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_revision ON events (stream, revision);
  CREATE INDEX events_by_id ON events (stream, id);
`

/**
 * Opens the log in `directory`, creating it when absent. One process at a time may hold it.
 * Throws an Error with a one-line message when the file is damaged, foreign or in use.
 */
export function openDatabase(directory: string): DatabaseSync {
  const path = join(directory, FILE)
  let database: DatabaseSync | undefined
  try {
    mkdirSync(directory, { recursive: true })
    database = new DatabaseSync(path)
    // Exclusive first: in WAL mode it also keeps the index of the log out of shared memory.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    const isNew = isEmpty(database)
    if (!isNew) assertOurs(database)
    configure(database)
    if (isNew) create(database)
    return database
  } catch (error) {
    database?.close()
    throw new Error(`the event store in ${path} ${explain(error)}`, { cause: error })
  }
}

function configure(database: DatabaseSync): void {
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
}

function create(database: DatabaseSync): void {
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; COMMIT`)
}

function assertOurs(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA application_id').get()
  if (found?.application_id !== APPLICATION_ID) throw new Error(FOREIGN)
  const check = database.prepare('PRAGMA quick_check(1)').get()
  if (check?.quick_check !== 'ok') throw new Error(DAMAGED)
}

const FOREIGN = 'is not an event store of this version'
const DAMAGED = 'is damaged: restore it from a backup'
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

function explain(error: unknown): string {
  const code = resultCode(error)
  if (code === SQLITE_BUSY) return 'is in use by another process'
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return DAMAGED
  const message = error instanceof Error ? error.message : String(error)
  return message === FOREIGN || message === DAMAGED ? message : `cannot be opened: ${message}`
}

/** Why a write failed, in words for the client. */
export function explainWriteFailure(error: unknown): string {
  if (resultCode(error) === SQLITE_FULL) return 'the disk is full, nothing was written'
  return `the log cannot be written: ${error instanceof Error ? error.message : String(error)}`
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  // The low byte is the primary result code; the rest says more about it.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
