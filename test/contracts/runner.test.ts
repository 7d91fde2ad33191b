import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeServer, startFakeServer } from './runner/fake_server.ts'
import { readCases } from './runner/read.ts'
import { parseScenarios } from './runner/scenario.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-cases-'))
const running: { server?: FakeServer } = {}

beforeAll(async () => {
  running.server = await startFakeServer()
})
afterAll(async () => {
  await running.server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const step = { method: 'GET', path: '/echo', expect: { status: 200 } }
const good = { name: 'good', steps: [step] }
const bad = { name: 'bad', steps: [step, { ...step, expect: { status: 201 } }] }

const write = (path: string, content: unknown): string => {
  const file = join(directory, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('the form of a scenario', () => {
  it('lets remarks be anywhere, and takes what the samples hold', () => {
    const remarks = { note: 'a', notes: ['b'], derived: 'c', verdict: 'agrees' }
    const expected = { status: 200, json_subset: {}, ...remarks, doc: 'd' }
    const doc = { status: 403, error_code: 'X', note: 'e' }
    const one = { ...step, headers: {}, body: null, expect: expected, doc, ...remarks }
    const scenario = { ...good, in_document: false, given: {}, doc: 'f', ...remarks, steps: [one] }
    expect(parseScenarios([scenario])).toEqual([scenario])
  })

  const withStep = (changes: object): object => ({
    name: 'x',
    steps: [step, { ...step, ...changes }],
  })
  const place = 'scenario "x", step 2'

  it.each<readonly [object, string]>([
    [{ ...good, setup: 1 }, 'scenario "good": unknown key setup'],
    [{ steps: [step] }, 'scenario 1, name: '],
    [{ ...good, steps: [] }, 'scenario "good", steps: '],
    [withStep({ boddy: 1, quary: 2 }), `${place}: unknown keys boddy, quary`],
    [withStep({ expect: { status: 200, json: 1 } }), `${place}, expect: unknown key json`],
    [withStep({ doc: { body: 1 } }), `${place}, doc: unknown key body`],
    [withStep({ method: 'FETCH' }), `${place}, method: `],
    [withStep({ expect: { status: 20 } }), `${place}, expect.status: `],
    [withStep({ expect: {} }), `${place}: no status is expected`],
    [
      withStep({ expect: { status: 200, status_not: 500 } }),
      `${place}: status and status_not exclude each other`,
    ],
    [withStep({ repeat: 2, concurrent: 2 }), `${place}: repeat and concurrent exclude each other`],
    [withStep({ body: 1, raw_body: '' }), `${place}: body and raw_body exclude each other`],
    [
      withStep({ expect: {}, expect_counts: { 200: 1 } }),
      `${place}: expect_counts needs repeat or concurrent`,
    ],
    [
      withStep({ repeat: 2, expect_counts: { 200: 2 } }),
      `${place}: expect_counts and status exclude each other`,
    ],
    [
      withStep({ repeat: 2, expect: {}, doc: { status: 200 }, expect_counts: { 200: 2 } }),
      `${place}: expect_counts and doc.status exclude each other`,
    ],
    [withStep({ repeat: 2, expect: {}, expect_counts: { ok: 2 } }), `${place}, expect_counts.ok: `],
  ])('refuses %j', (scenario, fault) => {
    expect(() => parseScenarios([scenario])).toThrow(fault)
  })

  it('names everything that is wrong with a file', () => {
    const faults = 'scenario "a": unknown key x; scenario "b": unknown key y'
    const scenarios = [{ ...good, name: 'a', x: 1 }, good, { ...good, name: 'b', y: 1 }]
    expect(() => parseScenarios(scenarios)).toThrow(faults)
    expect(() => parseScenarios({ scenarios })).toThrow(/^the file: /)
  })
})

describe('reading cases', () => {
  it('finds them in folders, in order, and knows their contracts', () => {
    write('read/repair/atm.json', [good])
    write('read/examples/churn.json', [good, bad])
    write('read/examples/readme.md', 'no case')
    const found = readCases(join(directory, 'read'))
    const names = found.map(({ contract, file, scenarios }) => [contract, file, scenarios.length])
    expect(names).toEqual([
      ['churn', join(directory, 'read/examples/churn.json'), 2],
      ['repair', join(directory, 'read/repair/atm.json'), 1],
    ])
  })

  it('names the file that does not fit', () => {
    const file = write('other/bank.json', [good])
    const reason = 'neither the file nor its folder is named after one of coastal, churn'
    expect(() => readCases(file)).toThrow(`${file}: ${reason}`)
    const broken = write('broken/atm/x.json', '[')
    expect(() => readCases(join(directory, 'broken'))).toThrow(`${broken}: Unexpected end of JSON`)
  })
})

type Ended = { readonly code: number | null; readonly lines: string[]; readonly errors: string }

const cases = async (...args: readonly string[]): Promise<Ended> => {
  const child = spawn(process.execPath, ['test/contracts/runner/main.ts', ...args], {
    cwd: new URL('../..', import.meta.url),
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, lines: out.trimEnd().split('\n'), errors }
}

describe('npm run cases', () => {
  const play = (...args: readonly string[]): Promise<Ended> =>
    cases('--base-url', running.server?.url ?? '', ...args)

  it('ends with 0 when everything passes', async () => {
    const { code, lines } = await play(write('good/atm/a.json', [good, { ...good, name: 'too' }]))
    expect(lines[0]).toMatch(/^ok {4}atm\/a: good \(\d+ ms\)$/)
    expect(lines[1]).toMatch(/^ok {4}atm\/a: too \(\d+ ms\)$/)
    expect(lines.slice(2)).toEqual(['2 passed, 0 failed'])
    expect(code).toBe(0)
  })

  it('ends with 1 when something fails, a file among it', async () => {
    write('mixed/atm/a.json', [bad, good])
    const unfit = write('mixed/atm/b.json', [{ ...good, setup: 1 }])
    const gone = join(directory, 'gone.json')
    const { code, lines } = await play(join(directory, 'mixed'), gone)
    expect(lines[0]).toBe(`FAIL  ${unfit}: scenario "good": unknown key setup`)
    expect(lines[1]).toContain(`FAIL  ${gone}: ENOENT`)
    const failure = 'FAIL  atm/a: bad: step 2 GET /echo: status 200, expected 201: {"method":"GET"'
    expect(lines[2]?.slice(0, failure.length)).toBe(failure)
    expect(lines.at(-1)).toBe('1 passed, 3 failed')
    expect(code).toBe(1)
  })

  it('plays only what is asked for, and does not pass by playing nothing', async () => {
    const file = write('only/atm/a.json', [bad, good])
    expect(await play(file, '--only', 'atm/a: good')).toMatchObject({ code: 0 })
    const none = await play(file, '--only', 'better')
    expect(none).toMatchObject({ code: 1, lines: ['0 passed, 0 failed'] })
    expect(none.errors).toBe('No scenario has better in its name.\n')
    mkdirSync(join(directory, 'empty'))
    const empty = await play(join(directory, 'empty'))
    const reason = `FAIL  ${join(directory, 'empty')}: no case files in this folder`
    expect(empty).toMatchObject({ code: 1, lines: [reason, '0 passed, 1 failed'] })
  })

  it.each([
    [[], "missing required argument 'folder or file'"],
    [['x', '--base-url', 'localhost'], 'expected an address such as http://'],
    [['x', '--verbose'], "unknown option '--verbose'"],
  ])('ends with 2 when misused: %j', async (args, reason) => {
    const { code, errors } = await cases(...args)
    expect(code).toBe(2)
    expect(errors).toContain(reason)
  })
})
