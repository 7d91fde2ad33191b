import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createLogger, openBoundedFile } from '../infra/log.ts'
import { mountSmallDisk, temporaryDirectory } from './infra-support.ts'

describe('logger', () => {
  test('writes an object per line and redacts secrets at any depth and in any spelling', () => {
    const file = join(temporaryDirectory(), 'daybook.log')
    const logger = createLogger({ level: 'info', file })
    const hidden = 'hunter2'
    logger.info(
      {
        apiKey: hidden,
        account: 'customers:42',
        pin: hidden,
        headers: { Authorization: hidden, cookie: hidden, 'set-cookie': [hidden] },
        body: [{ password: hidden, more: { refresh_token: hidden, accessToken: hidden } }],
        pinned: true,
      },
      'received',
    )
    logger.debug('below the level')
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain(hidden)
    expect(JSON.parse(text)).toMatchObject({
      msg: 'received',
      account: 'customers:42',
      apiKey: '[redacted]',
      headers: { Authorization: '[redacted]' },
      pinned: true,
    })
  })

  test('keeps errors and dates readable, and does not follow a circle for ever', () => {
    const file = join(temporaryDirectory(), 'daybook.log')
    const circle: { self?: unknown } = {}
    circle.self = circle
    createLogger({ level: 'info', file }).error({
      err: new Error('torn'),
      at: new Date(0),
      circle,
    })
    const line = JSON.parse(readFileSync(file, 'utf8'))
    expect(line.err.message).toBe('torn')
    expect(line.at).toBe('1970-01-01T00:00:00.000Z')
    expect(JSON.stringify(line.circle)).toContain('[too deep]')
  })
})

describe('bounded file', () => {
  test('turns when it is full and keeps one predecessor, also across a restart', () => {
    const path = join(temporaryDirectory(), 'a.log')
    for (let line = 0; line < 100; line += 1) {
      const file = openBoundedFile(path, 100)
      file.write(`line ${String(line).padStart(4, '0')}\n`)
      file.close()
    }
    expect(readFileSync(path, 'utf8')).toMatch(/line 0099\n$/)
    expect(statSync(path).size).toBeLessThanOrEqual(100)
    expect(statSync(`${path}.1`).size).toBe(100)
  })

  test('stays silent once it is closed', () => {
    const directory = temporaryDirectory()
    const file = openBoundedFile(join(directory, 'a.log'), 100)
    file.close()
    // Takes over the number that the closed file had.
    const other = openBoundedFile(join(directory, 'other'), 100)
    file.write('stray')
    file.close()
    other.write('kept')
    other.close()
    expect(readFileSync(join(directory, 'other'), 'utf8')).toBe('kept')
  })

  test('counts bytes, not characters', () => {
    const path = join(temporaryDirectory(), 'a.log')
    const file = openBoundedFile(path, 100)
    for (let line = 0; line < 10; line += 1) file.write(`${'✓'.repeat(10)}\n`)
    file.close()
    expect(statSync(path).size).toBeLessThanOrEqual(100)
  })

  test('a full disk does not stop what is being logged', (context) => {
    const directory = temporaryDirectory()
    if (!mountSmallDisk(directory, 'size=64k')) context.skip('mounting is not permitted here')
    const file = openBoundedFile(join(directory, 'a.log'), 1_000_000)
    for (let line = 0; line < 200; line += 1) file.write(`${'x'.repeat(1_000)}\n`)
    file.close()
    expect(statSync(join(directory, 'a.log')).size).toBe(65_536)
  })
})
