/** Writes a fixture for each event type that has none; one that is there is never touched. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventSchemas } from '../../domain/index.ts'
import { directory, fixturesOf } from './fixtures.ts'
import { createHistories } from './shared.ts'

const LONGEST = 4000

const histories = await createHistories()
const events = histories.flatMap(({ log }) => log)

for (const type of Object.keys(eventSchemas)) {
  if (fixturesOf(type).length > 0) continue
  // The longest, because it has the most fields; not a book's whole trial balance.
  const [text] = events
    .filter((event) => event.type === type)
    .map(({ data }) => JSON.stringify(data, null, 2))
    .filter(({ length }) => length <= LONGEST)
    .sort((a, b) => b.length - a.length)
  const line = text === undefined ? `${type} happens in no history` : `wrote ${type}.v1.json`
  if (text !== undefined) {
    writeFileSync(join(directory, `${type}.v1.json`), `${text}\n`, { flag: 'wx' })
  }
  process.stdout.write(`${line}\n`)
}
