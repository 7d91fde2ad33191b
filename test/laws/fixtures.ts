/** Events as they were once written. `<Type>.v<n>.json` is never changed, only added to. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const directory = join(import.meta.dirname, '../fixtures/events')

export type Fixture = { readonly name: string; readonly data: unknown }

export const fixturesOf = (type: string): readonly Fixture[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith(`${type}.v`))
    .map((name) => ({ name, data: JSON.parse(readFileSync(join(directory, name), 'utf8')) }))
