import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type DataDirectory, openDataDirectory } from '../infra/data_directory.ts'
import {
  isRoot,
  killHard,
  lineOf,
  mountSmallDisk,
  runUntilLine,
  temporaryDirectory,
} from './infra-support.ts'

const module = new URL('../infra/data_directory.ts', import.meta.url).href

function open(path: string): DataDirectory {
  const opened = openDataDirectory(path)
  onTestFinished(() => opened.release())
  return opened
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('data directory', () => {
  test('is created closed to others, marked, and opens again', () => {
    const path = join(temporaryDirectory(), 'some/where')
    open(path).release()
    const marker = readFileSync(join(path, 'daybook.json'), 'utf8')
    expect(JSON.parse(marker)).toEqual({ format: 1, created: expect.stringMatching(/Z$/) })
    // As root it must let the account of Postgres pass, but not look.
    expect(mode(path)).toBe(isRoot ? '711' : '700')
    open(path)
    expect(readFileSync(join(path, 'daybook.json'), 'utf8')).toBe(marker)
  })

  test('a foreign directory is refused and left alone', async () => {
    const path = temporaryDirectory()
    writeFileSync(join(path, 'thesis.tex'), '')
    expect(await lineOf(() => openDataDirectory(path))).toContain('it holds thesis.tex but no')
    expect(readdirSync(path)).toEqual(['thesis.tex'])
  })

  test('a first start that was interrupted before the marker is taken up', () => {
    const path = temporaryDirectory()
    writeFileSync(join(path, 'daybook.lock'), '')
    writeFileSync(join(path, 'daybook.json.new'), '{"for')
    open(path)
    expect(existsSync(join(path, 'daybook.json'))).toBe(true)
  })

  test.each([
    ['', 'is damaged'],
    ['{"format":1}', 'is damaged'],
    [
      '{"format":2,"created":"2031-01-01T00:00:00Z"}',
      'has format 2 and this Daybook reads format 1',
    ],
  ])('the marker %j is refused', async (content, line) => {
    const path = temporaryDirectory()
    writeFileSync(join(path, 'daybook.json'), content)
    expect(await lineOf(() => openDataDirectory(path))).toContain(line)
  })

  test('a path that cannot be a directory is refused', async () => {
    const path = temporaryDirectory()
    const file = join(path, 'file')
    const loop = join(path, 'loop')
    writeFileSync(file, '')
    symlinkSync(loop, loop)
    expect(await lineOf(() => openDataDirectory(file))).toContain('it is a file, not a directory')
    expect(await lineOf(() => openDataDirectory(join(file, 'below')))).toContain('is a file')
    expect(await lineOf(() => openDataDirectory(loop))).toContain('Daybook cannot use')
  })

  test('is refused while another process has it, and free once that one is killed', async () => {
    const path = join(temporaryDirectory(), 'data')
    const { child } = await runUntilLine(`
      import { openDataDirectory } from '${module}'
      openDataDirectory('${path}')
      console.log('open')
      setInterval(() => {}, 1000)`)
    expect(await lineOf(() => openDataDirectory(path))).toBe(
      `${path} is in use by another Daybook (process ${child.pid}): stop that one first.`,
    )
    await killHard(child)
    open(path)
  })

  test('is refused within the same process until it is released', async () => {
    const path = temporaryDirectory()
    const first = open(path)
    expect(await lineOf(() => openDataDirectory(path))).toContain('in use by another Daybook')
    first.release()
    const second = open(path)
    // A second release of the first must not give away the lock of the second.
    first.release()
    expect(await lineOf(() => openDataDirectory(path))).toContain('in use by another Daybook')
    second.release()
  })

  test('a process number that now belongs to somebody else does not lock', () => {
    const path = temporaryDirectory()
    open(path).release()
    writeFileSync(join(path, 'daybook.pid'), `${process.pid}\n`)
    open(path)
  })

  test('a full disk is refused', async (context) => {
    const path = temporaryDirectory()
    if (!mountSmallDisk(path, 'size=4m')) context.skip('mounting is not permitted here')
    expect(await lineOf(() => openDataDirectory(path))).toBe(
      `The disk that holds ${path} is full: 4 MB are free and Daybook needs 128 MB to start.`,
    )
  })

  test('a read-only disk is refused', async (context) => {
    const path = temporaryDirectory()
    if (!mountSmallDisk(path, 'ro')) context.skip('mounting is not permitted here')
    expect(await lineOf(() => openDataDirectory(path))).toContain('the file system is read-only')
  })
})

describe('secrets', () => {
  test('are 32 bytes, stay the same, differ by name and are ours alone', () => {
    const path = temporaryDirectory()
    const first = open(path)
    const token = first.secret('token-signing')
    expect(token.length).toBe(32)
    expect(first.secret('claims').equals(token)).toBe(false)
    first.release()
    expect(open(path).secret('token-signing').equals(token)).toBe(true)
    expect(mode(join(path, 'secrets'))).toBe('700')
    expect(mode(join(path, 'secrets/token-signing'))).toBe('600')
  })

  test('a damaged one is refused, not replaced', async () => {
    const path = temporaryDirectory()
    const directory = open(path)
    directory.secret('claims')
    truncateSync(join(path, 'secrets/claims'), 20)
    expect(await lineOf(() => directory.secret('claims'))).toContain('secrets/claims is damaged')
  })

  test('a name that leads elsewhere is a bug', () => {
    const directory = open(temporaryDirectory())
    mkdirSync(join(directory.path, 'other'))
    expect(() => directory.secret('../other/x')).toThrow('not a name for a secret')
  })
})
