/** Personal data, each subject's under a key of its own, which can be destroyed. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { z } from 'zod'
import { type SealedFields, SubjectForgotten, type Vault } from '../domain/vault.ts'

const VERSION = 'v1'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM: nonce, ciphertext, tag. What is `bound` must be the same to open it again. */
const encrypt = (key: Buffer, bound: string, plain: Buffer): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

const decrypt = (key: Buffer, bound: string, sealed: Buffer): Buffer => {
  const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(sealed.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(body), decipher.final()])
}

const Fields = z.record(z.string(), z.string())

const sealWith = (key: Buffer, subject: string, fields: SealedFields): string => {
  const plain = Buffer.from(JSON.stringify(fields))
  return `${VERSION}.${encrypt(key, `fields ${subject}`, plain).toString('base64url')}`
}

const openWith = (key: Buffer, subject: string, sealed: string): SealedFields => {
  const [version, body] = sealed.split('.')
  if (version !== VERSION || body === undefined) {
    throw new Error(`what is sealed for ${subject} is damaged`)
  }
  const plain = decrypt(key, `fields ${subject}`, Buffer.from(body, 'base64url'))
  return Fields.parse(JSON.parse(plain.toString()))
}

type StoredKey = { subject: string; wrapped_key: string | null }

// Two processes that start together must not create the table at the same time.
const createTable = `
  select pg_advisory_xact_lock(hashtext('subject_keys'));
  create table if not exists subject_keys (
    subject text primary key,
    wrapped_key text,
    created_at timestamptz not null default now(),
    forgotten_at timestamptz
  )`

/**
 * Opens the vault over the table `subject_keys`, which it creates. The table is no read model: it
 * cannot be made anew from events, and without it what was sealed is lost. Keys lie in it wrapped
 * by `masterKey`, 32 bytes, and are read anew each time, so that what one process forgets no other
 * remembers.
 */
export const openVault = async (options: {
  readonly database: Pool
  readonly masterKey: Buffer
}): Promise<Vault> => {
  const { database, masterKey } = options
  await database.query(createTable)

  const wrap = (subject: string, key: Buffer): string =>
    encrypt(masterKey, `key ${subject}`, key).toString('base64url')
  const unwrap = (subject: string, wrapped: string): Buffer =>
    decrypt(masterKey, `key ${subject}`, Buffer.from(wrapped, 'base64url'))

  const findKeys = async (subjects: readonly string[]): Promise<Map<string, Buffer>> => {
    const { rows } = await database.query<StoredKey>(
      'select subject, wrapped_key from subject_keys where subject = any($1)',
      [[...new Set(subjects)]],
    )
    return new Map(
      rows.flatMap(({ subject, wrapped_key }) =>
        wrapped_key === null ? [] : [[subject, unwrap(subject, wrapped_key)] as const],
      ),
    )
  }

  const keyFor = async (subject: string): Promise<Buffer> => {
    await database.query(
      'insert into subject_keys (subject, wrapped_key) values ($1, $2) on conflict do nothing',
      [subject, wrap(subject, randomBytes(KEY_BYTES))],
    )
    const key = (await findKeys([subject])).get(subject)
    if (!key) throw new SubjectForgotten(subject)
    return key
  }

  const openAll: Vault['openAll'] = async (texts) => {
    if (texts.length === 0) return []
    const keys = await findKeys(texts.map(({ subject }) => subject))
    return texts.map(({ subject, sealed }) => {
      const key = keys.get(subject)
      return key ? openWith(key, subject, sealed) : null
    })
  }

  return {
    seal: async (subject, fields) => sealWith(await keyFor(subject), subject, fields),
    open: async (subject, sealed) => (await openAll([{ subject, sealed }]))[0] ?? null,
    openAll,
    sealBytes: async (subject, bytes) =>
      encrypt(await keyFor(subject), `bytes ${subject}`, Buffer.from(bytes)),
    openBytes: async (subject, sealed) => {
      const key = (await findKeys([subject])).get(subject)
      return key ? decrypt(key, `bytes ${subject}`, Buffer.from(sealed)) : null
    },
    forget: async (subject) => {
      await database.query(
        `insert into subject_keys (subject, forgotten_at) values ($1, now())
         on conflict (subject) do update set wrapped_key = null, forgotten_at = now()`,
        [subject],
      )
    },
  }
}
