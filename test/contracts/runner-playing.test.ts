import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeServer, startFakeServer } from './runner/fake_server.ts'
import type { LogIns } from './runner/log_in.ts'
import { playScenario } from './runner/play.ts'
import { parseScenarios } from './runner/scenario.ts'

const running: { server?: FakeServer } = {}
const server = (): FakeServer => {
  if (!running.server) throw new Error('the fake server is not running')
  return running.server
}

beforeAll(async () => {
  running.server = await startFakeServer()
})
beforeEach(() => {
  server().log.length = 0
})
afterAll(() => server().stop())

const OK = { status: 200 }
const get = { method: 'GET', path: '/echo', expect: OK }
const post = { method: 'POST', path: '/echo', expect: OK }

const logIns: LogIns = {
  churn: async (_, { username }) => {
    server().log.push(`log in ${username}`)
    return { access: `token of ${username}`, headers: { Authorization: `Bearer ${username}` } }
  },
}

const play = async (steps: readonly object[], given?: object): Promise<string | undefined> => {
  const [scenario] = parseScenarios([{ name: 'one', steps, ...(given && { given }) }])
  if (!scenario) throw new Error('no scenario')
  return playScenario(`${server().url}/`, 'churn', scenario, { logIns })
}

const sees = (json_subset: object): object => ({ status: 200, json_subset })

describe('playing', () => {
  it('types the newest code that was sent, and asks for it only where it is typed', async () => {
    const typed = {
      ...post,
      body: { otp_code: '{{otp}}' },
      expect: sees({ text: '{"otp_code":"123456"}' }),
    }
    expect(await play([get, typed])).toBeUndefined()
    expect(server().log).toEqual(['reset', 'GET /echo', 'outbox', 'POST /echo'])
  })

  it('resets, brings the state about, and turns the clock before the call', async () => {
    const today = new Date().toISOString().slice(0, 10)
    const given = { users: [], due: '{{today}}', notes: ['{{<ref>_id}}'] }
    const steps = [
      { ...get, now: '2026-02-10T23:30:00-05:00' },
      { ...get, path: '/echo/{{today-1}}' },
      { ...get, now: '{{today+1}}T00:00:00Z' },
      { ...get, path: '/echo/{{today}}', now: null },
    ]
    expect(await play(steps, given)).toBeUndefined()
    expect(server().log).toEqual([
      'reset',
      `given churn {"users":[],"due":"${today}","notes":["{{<ref>_id}}"]}`,
      'clock 2026-02-10T23:30:00-05:00',
      'GET /echo',
      'GET /echo/2026-02-10',
      'clock 2026-02-12T00:00:00Z',
      'GET /echo',
      'clock null',
      `GET /echo/${today}`,
    ])
  })

  it('fills in what was given and captured, with its type', async () => {
    const query = { verb: ['POST'], id: ['7'], x: ['1', '2'] }
    const steps = [
      { ...post, path: '/echo/{{alice.slug}}', body: { a: 1 }, capture: { verb: '$.method' } },
      {
        ...get,
        query: { verb: '{{verb}}', id: '{{alice.id}}', x: ['1', 2] },
        expect: sees({ query, text: '', method: 'GET' }),
      },
      {
        ...post,
        path: '/echo/{{bob}}',
        body: ['{{alice_id}}', '{{verb}}'],
        expect: sees({ text: '[7,"POST"]', type: 'application/json', method: '{{verb}}' }),
      },
    ]
    expect(await play(steps, {})).toBeUndefined()
    expect(server().log).toContain('POST /echo/alice-a')
    expect(server().log).toContain('POST /echo/8')
  })

  it.each([
    ['no body for null', { body: null }, { text: '', type: null }],
    ['false', { body: false }, { text: 'false', type: 'application/json' }],
    ['a raw body as it is', { raw_body: '{"a":' }, { text: '{"a":', type: 'application/json' }],
    [
      'what it names as the type, in any case',
      { body: {}, headers: { 'CONTENT-type': 'text/plain', 'x-SESSION-id': 5 } },
      { text: '{}', type: 'text/plain', session: '5' },
    ],
  ])('sends %s', async (_, step, seen) => {
    expect(await play([{ ...post, ...step, expect: sees(seen) }])).toBeUndefined()
  })

  it('sends a form with files', async () => {
    const photo = { filename: 'in.jpg', content_type: 'image/jpeg' }
    const multipart = {
      fields: { lat: 0, user: '{{alice.id}}', kind: 'in' },
      files: [{ name: 'photo', bytes_base64: '/9j/4AAA/9k=', ...photo }],
    }
    const form = { lat: '0', user: '7', kind: 'in', photo: { ...photo, base64: '/9j/4AAA/9k=' } }
    const step = { ...post, body: null, multipart }
    const seen = sees({ form, type: 'multipart/form-data' })
    expect(await play([{ ...step, expect: seen }], {})).toBeUndefined()
  })

  it('logs in who acts, once, and again when the clock has been turned', async () => {
    const given = { users: [{ ref: 'me', username: 'ada' }] }
    const named = { headers: { authorization: 'Token {{access.me}}' } }
    const steps = [
      { ...get, as: 'me', expect: sees({ authorization: 'Bearer ada' }) },
      { ...get, ...named, expect: sees({ authorization: 'Token token of ada' }) },
      { ...get, as: 'me', ...named, expect: sees({ authorization: 'Token token of ada' }) },
      { ...get, as: 'me', now: '2026-02-10T00:00:00Z' },
    ]
    expect(await play(steps, given)).toBeUndefined()
    const calls = server().log.filter((line) => !line.startsWith('given'))
    const [log, once] = ['log in ada', 'GET /echo']
    const clock = 'clock 2026-02-10T00:00:00Z'
    expect(calls).toEqual(['reset', log, once, once, once, clock, log, once])
  })

  it('repeats and counts', async () => {
    const race = { method: 'POST', path: '/race' }
    const counted = { ...race, concurrent: 64, expect_counts: { 201: 1, 400: 63 } }
    expect(await play([counted])).toBeUndefined()
    expect(server().log.filter((line) => line === 'race')).toHaveLength(64)
    expect(await play([{ ...counted, expect_counts: { 201: 64 } }])).toBe(
      'step 1 POST /race: 1 with 201, 63 with 400, expected 64 with 201',
    )
    expect(await play([{ ...get, repeat: 3 }])).toBeUndefined()
    expect(server().log.filter((line) => line === 'GET /echo')).toHaveLength(3)
    expect(await play([{ ...race, repeat: 3, expect: { status: 201 } }])).toBe(
      'step 1 POST /race: answer 2 of 3: status 400, expected 201: {"won":false}',
    )
    const last = { ...race, repeat: 2, expect: { status_not: 500 }, capture: { won: 'won' } }
    const seen = sees({ text: '[false]' })
    expect(await play([last, { ...post, body: ['{{won}}'], expect: seen }])).toBeUndefined()
  })

  it.each([
    [
      'a difference',
      [get, { ...get, expect: { status: 201 } }],
      'step 2 GET /echo: status 200, expected 201: {"method":"GET"',
    ],
    [
      'an unknown name',
      [{ ...get, path: '/{{who}}' }],
      'step 1 GET /{{who}}: unknown placeholder {{who}}',
    ],
    [
      'an unknown name in what is expected',
      [{ ...get, expect: sees({ text: '{{who}}' }) }],
      'step 1 GET /echo: unknown placeholder {{who}}',
    ],
    [
      'nothing to capture',
      [{ ...get, capture: { id: 'data.id' } }],
      'step 1 GET /echo: nothing to capture at data.id: {"method"',
    ],
    ['a time that is none', [{ ...get, now: 'noon' }], 'step 1 GET /echo: now is not a time: noon'],
    ['nobody to log in', [{ ...get, as: 'me' }], 'step 1 GET /echo: me is none of the given users'],
    [
      'a value that cannot be sent',
      [
        { ...get, capture: { all: 'query' } },
        { ...get, query: { a: '{{all}}' } },
      ],
      'step 2 GET /echo: with its placeholders filled in: query.a: ',
    ],
  ])('stops at %s', async (_, steps, difference) => {
    expect((await play(steps))?.slice(0, difference.length)).toBe(difference)
  })

  it('says when the door is not there, or refuses', async () => {
    expect(await play([get], { broken: true })).toBe(
      'before the steps: POST /test/given: status 400, expected 200: {"detail":"unknown key broken"}',
    )
    const [scenario] = parseScenarios([{ name: 'one', steps: [{ ...get, as: 'me' }] }])
    if (!scenario) throw new Error('no scenario')
    const nowhere = await playScenario('http://127.0.0.1:1', 'churn', scenario)
    expect(nowhere).toMatch(/^before the steps: POST \/test\/reset: no answer: /)
    expect(await playScenario(server().url, 'atm', scenario)).toBe(
      'step 1 GET /echo: me cannot log in: there is no log-in for atm yet',
    )
  })
})
