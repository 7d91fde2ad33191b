import { randomInt } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartError } from '../start/error.ts'

const LogIn = z.object({
  user: z.string(),
  username: z.string(),
  password: z.string(),
  name: z.string(),
  role: z.enum(['admin', 'manager', 'cashier', 'auditor', 'analyst', 'regulator', 'customer']),
})
export type LogIn = z.infer<typeof LogIn>

/** What is known of the demo bank beside the log: passwords are nowhere else. */
const DemoRecord = z.object({
  /** The bank's traffic ends here, also when loading it is interrupted and taken up days later. */
  until: z.iso.datetime({ precision: 3 }),
  complete: z.boolean(),
  log_ins: z.array(LogIn),
  api_key: z.string().nullable(),
})
export type DemoRecord = z.infer<typeof DemoRecord>

/** Everybody in the demo has the same. */
export const passwordOf = ({ log_ins: [first] }: DemoRecord): string => {
  if (!first) throw new Error('nobody of the demo bank can log in')
  return first.password
}

const fileIn = (directory: string): string => join(directory, 'demo.json')

/** The record in a data directory; undefined when no demo bank was ever begun. */
export const readRecord = (directory: string): DemoRecord | undefined => {
  const file = fileIn(directory)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return DemoRecord.parse(JSON.parse(text))
  } catch (error) {
    throw new StartError(`${file} is damaged: restore it, or remove it to go without.`, error)
  }
}

/** Whole or not at all; readable by ourselves only. */
export const writeRecord = (directory: string, record: DemoRecord): void => {
  const file = fileIn(directory)
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

// Without letters and digits that look alike: it will be typed.
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'

/** 79 bits, in four groups. */
export const makePassword = (): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  ).join('-')
