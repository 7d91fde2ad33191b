import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedBus, openEmbeddedBus } from '../infra/bus/embedded.ts'
import { message } from './bus-contract.ts'
import { deadLettersContract, runDeadLetters } from './dead-letters-support.ts'
import { temporaryDirectory } from './infra-support.ts'
import { eventually } from './support/client.ts'
import { useDaybook } from './support/stack.ts'

const log = pino({ level: 'silent' })

describe('dead letters of the embedded bus', () => {
  let bus: EmbeddedBus
  beforeEach(() => {
    bus = openEmbeddedBus({ file: join(temporaryDirectory(), 'bus.db'), log })
  })
  afterEach(() => bus.close())
  deadLettersContract(() => bus)
})

describe('the command line on dead letters', { timeout: 120_000 }, () => {
  const daybook = useDaybook()
  const run = (...args: string[]) => runDeadLetters({ DAYBOOK_DATA: daybook.directory }, ...args)

  /** Runs Daybook until its log tells of so many burials. */
  async function letScorerBury(count: number): Promise<void> {
    await daybook.restart()
    const burials = async () =>
      readFileSync(join(daybook.directory, 'daybook.log'), 'utf8').split(
        'a poisoned message was moved to the dead topic',
      ).length - 1
    await eventually('the scorer has buried it', burials, (found) => found === count)
    await daybook.stop()
  }

  it('says that the bus of a running Daybook cannot be reached', async () => {
    const { code, out, errors } = await run('list')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(errors).toContain(`A Daybook runs on ${daybook.directory} (process `)
    expect(errors).toContain('bus.db and can be reached only while Daybook is stopped')
    expect(errors).toContain('set KAFKA_BROKERS')
  })

  it('shows and replays what the scorer of a stopped one could not read', async () => {
    await daybook.stop()
    const bad = message('book-odd', '{"not":\n"an event"}')
    const bus = openEmbeddedBus({ file: join(daybook.directory, 'bus.db'), log })
    await bus.publish('daybook.ledger', [bad]).finally(() => bus.close())
    await letScorerBury(1)

    const listed = await run('list', '--topic', 'daybook.ledger')
    expect(listed).toMatchObject({ code: 0, errors: '' })
    const row = new RegExp(`^20\\S+Z +daybook\\.ledger +scorer +book-odd +${bad.id} +\\S.*id`, 'm')
    expect(listed.out).toMatch(row)
    expect(listed.out).toMatch(/^1 shown, 1 not yet replayed\.$/m)

    const replayed = await run('replay')
    expect(replayed).toMatchObject({ code: 0, errors: '' })
    expect(replayed.out).toMatch(/^daybook\.ledger\.dead +1 +0$/m)

    await letScorerBury(2)
    expect((await run('list', '--all')).out).toMatch(/^2 shown .*, 1 not yet replayed\.$/m)

    const unknown = await run('list', '--topic', 'daybook.lodger')
    expect(unknown).toMatchObject({ code: 1, out: '' })
    expect(unknown.errors).toContain('There is no topic daybook.lodger; there are daybook.ledger')
    await daybook.restart()
  })

  it('touches nothing where there is no bus', async () => {
    const empty = join(temporaryDirectory(), 'data')
    const nowhere = await runDeadLetters({ DAYBOOK_DATA: empty })
    expect(nowhere).toMatchObject({ code: 1, out: '' })
    expect(nowhere.errors).toContain('There is no embedded bus')
    expect(existsSync(empty)).toBe(false)
  })
})

describe('the command line on dead letters, misused', () => {
  it.each([
    [['burn'], "value 'burn' is invalid"],
    [['list', '--limit', '0'], 'expected a whole number above zero'],
  ])('%j ends with 2 and says what was wrong', async (args, reason) => {
    const { code, errors } = await runDeadLetters({ DAYBOOK_DATA: '/nowhere' }, ...args)
    expect(code).toBe(2)
    expect(errors).toContain(reason)
  })
})
