import { beforeEach, describe, expect, test } from 'vitest'
import { accessOf, bearer, clientOf, furnish, join, type Ref, refusalOf } from './chat-support.ts'
import { accepted } from './support/bank.ts'
import { eventually } from './support/client.ts'
import { useDaybook } from './support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
let place: Awaited<ReturnType<typeof furnish>>

beforeEach(async () => {
  place = await furnish(daybook)
})

const enter = async (ref: Ref, query = '') => {
  const { room } = place
  const headers = bearer(await accessOf(daybook, ref))
  const connection = await join(daybook, { room, query, headers })
  await connection.ready()
  return connection
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe('a room over a socket', () => {
  test('brings everything once and in order, also to who was cut off in between', async () => {
    const ama = await enter('ama')
    const kofi = await enter('kofi')
    let reader = await enter('ama', '?after=0')
    const got: number[] = []
    for (let round = 0; round < 100; round += 1) {
      ama.say({ type: 'send', content: `a ${round}` })
      kofi.say({ type: 'send', content: `k ${round}` })
      // Few at a time, or it would be too much at once.
      if (round % 10 === 9) await Promise.all([ama.seen('sent', round), kofi.seen('sent', round)])
      if (round % 33 === 32) {
        reader.socket.terminate()
        await reader.closed
        got.push(...reader.sequences())
        reader = await enter('ama', `?after=${got.at(-1) ?? 0}`)
      }
    }
    await eventually(
      'all 200',
      async () => [...got, ...reader.sequences()],
      ({ length }) => length >= 200,
    )
    expect([...got, ...reader.sequences()]).toEqual(upTo(200))
    expect((await ama.seen('message', 200)).map(({ message }) => message.sequence)).toEqual(
      upTo(200),
    )
    const said = reader.of('message').map(({ message }) => message.content)
    expect(said).toContain('k 99')
  })

  test('begins with what comes from now on, unless the client says what it knows', async () => {
    const client = await clientOf(daybook, 'kofi')
    for (const content of ['one', 'two', 'three']) {
      accepted(await client.post(`/api/chat/rooms/${place.room}/messages/send/`, { content }))
    }
    const [fresh, resumed] = [await enter('ama'), await enter('ama', '?after=1')]
    expect(fresh.frames).toEqual([{ type: 'ready', sequence: 3 }])
    expect(resumed.sequences()).toEqual([2, 3])
    accepted(await client.post(`/api/chat/rooms/${place.room}/messages/send/`, { content: 'four' }))
    const [{ message }] = await fresh.seen('message')
    expect(message).toMatchObject({ content: 'four', sequence: 4, sender: place.refs.kofi.id })
  })

  test('takes the same key as the same message', async () => {
    const ama = await enter('ama')
    ama.say({ type: 'send', content: 'once', key: 'k1' })
    await ama.seen('sent')
    ama.say({ type: 'send', content: 'once', key: 'k1' })
    const [first, second] = await ama.seen('sent', 2)
    expect(second).toEqual(first)
    ama.say({ type: 'send', content: 'other', key: 'k1' })
    expect(await ama.seen('error')).toMatchObject([
      { key: 'k1', error: { code: 'IDEMPOTENCY_KEY_REUSED' } },
    ])
    ama.say({ type: 'send', content: 'again' })
    await ama.seen('message', 2)
    expect(ama.sequences()).toEqual([1, 2])
  })

  test('complains about what it does not understand, and goes on', async () => {
    const ama = await enter('ama')
    for (const frame of ['', '{', '[]', '{"type":"shout"}', '{"type":"send"}']) {
      ama.socket.send(frame)
    }
    ama.socket.send(Buffer.from('{"type":"typing"}'))
    ama.say({ type: 'send', content: '  ' })
    ama.say({ type: 'send', content: 'x'.repeat(4001) })
    const errors = await ama.seen('error', 8)
    expect(errors.map(({ error }) => error.code)).toEqual([
      ...Array.from({ length: 4 }, () => 'INVALID_REQUEST'),
      'REQUIRED_FIELD_MISSING',
      ...Array.from({ length: 3 }, () => 'INVALID_REQUEST'),
    ])
    expect(errors.at(-2)).toMatchObject({ error: { content: ['This field may not be blank.'] } })
    ama.say({ type: 'send', content: 'still here' })
    await ama.seen('message')
  })

  test('closes on who sends too much at once, and on a frame that is too large', async () => {
    const [ama, kofi] = [await enter('ama'), await enter('kofi')]
    for (let count = 0; count < 100; count += 1) ama.say({ type: 'send', content: 'spam' })
    expect(await ama.closed).toBe(4429)
    kofi.say({ type: 'send', content: 'x'.repeat(40_000) })
    expect(await kofi.closed).toBe(1009)
  })
})

describe('a socket is refused', () => {
  test('to strangers, to who is nobody, and to pages of other sites', async () => {
    const { room } = place
    const access = await accessOf(daybook, 'ama')
    const headers = bearer(access)
    const cookie = { Cookie: `access=${access}` }
    const status = (wanted: object) =>
      refusalOf(daybook, { ...{ room, headers }, ...wanted } as never)
    expect(await status({ headers: {} })).toBe(401)
    expect(await status({ headers: bearer('none') })).toBe(401)
    expect(await status({ headers: bearer(await accessOf(daybook, 'esi')) })).toBe(404)
    expect(await status({ room: 999 })).toBe(404)
    expect(await status({ room: 'x' })).toBe(404)
    expect(await status({ query: '?after=-1' })).toBe(400)
    expect(await status({ headers: { ...cookie, Origin: 'https://evil.example' } })).toBe(403)
    const foreign = { ...cookie, Origin: daybook.url, 'Sec-Fetch-Site': 'cross-site' }
    expect(await status({ headers: foreign })).toBe(403)
    const ours = await join(daybook, { room, headers: { ...cookie, Origin: daybook.url } })
    expect(await ours.ready()).toEqual({ type: 'ready', sequence: 0 })
  })
})

describe('a socket ends', () => {
  test('with the session, and with the token', async () => {
    const { room, door } = place
    const access = await accessOf(daybook, 'ama')
    const ama = await join(daybook, { room, headers: bearer(access) })
    await ama.ready()
    const client = await clientOf(daybook, 'kofi')
    const out = { headers: bearer(access) }
    accepted(await client.send('POST', '/api/users/auth/logout/', out))
    ama.say({ type: 'send', content: 'too late' })
    expect(await ama.closed).toBe(4401)
    const again = await enter('ama')
    await door.clock(new Date(Date.now() + 6 * 60_000).toISOString())
    again.say({ type: 'typing' })
    expect(await again.closed).toBe(4401)
    expect(again.of('message')).toEqual([])
    await door.clock(null)
  })

  test('when the server puts itself away, and can be resumed after', async () => {
    const ama = await enter('ama')
    await place.door.reset()
    expect(await ama.closed).toBe(1001)
  })
})

describe('others see', () => {
  const prefer = async (ref: Ref, changes: object) =>
    accepted(await (await clientOf(daybook, ref)).put('/api/messaging/preferences/', changes))

  test('who is there, who writes and what was read', async () => {
    const ama = await enter('ama')
    const kofi = await enter('kofi')
    const [amaId, kofiId] = [place.refs.ama.id, place.refs.kofi.id]
    expect(await ama.seen('presence')).toEqual([{ type: 'presence', user: kofiId, online: true }])
    expect(await kofi.seen('presence')).toEqual([{ type: 'presence', user: amaId, online: true }])
    kofi.say({ type: 'typing' })
    kofi.say({ type: 'typing' })
    kofi.say({ type: 'send', content: 'Are you there?' })
    await ama.seen('message')
    expect(ama.of('typing')).toEqual([{ type: 'typing', user: kofiId }])
    ama.say({ type: 'read' })
    expect(await kofi.seen('read')).toEqual([{ type: 'read', user: amaId, up_to: 1 }])
    kofi.socket.close()
    expect((await ama.seen('presence', 2)).at(-1)).toMatchObject({ user: kofiId, online: false })
  })

  test('nothing of it of who does not want it seen', async () => {
    await prefer('ama', {
      read_receipts_enabled: false,
      typing_indicators_enabled: false,
      last_seen_visible: false,
    })
    const kofi = await enter('kofi')
    const ama = await enter('ama')
    kofi.say({ type: 'send', content: 'Are you there?' })
    await ama.seen('message')
    ama.say({ type: 'typing' })
    ama.say({ type: 'read' })
    ama.say({ type: 'send', content: 'No' })
    await kofi.seen('message', 2)
    const types = new Set(kofi.frames.map(({ type }) => type))
    expect(types).toEqual(new Set(['ready', 'sent', 'message']))
    const { body } = accepted(
      await (await clientOf(daybook, 'kofi')).get(`/api/chat/rooms/${place.room}/`),
    )
    const members = body.members.map(({ id, last_seen }: Record<string, unknown>) => [
      id === place.refs.ama.id,
      last_seen === null,
    ])
    expect(members).toEqual([
      [true, true],
      [false, false],
    ])
  })
})

test('who is there gets no mail, and who is not gets one', async () => {
  // In one quarter of an hour, whenever this runs.
  await place.door.clock('2031-03-11T12:05:00Z')
  const mails = async () => (await fetch(`${daybook.url}/test/outbox`)).json() as Promise<never>
  const path = `/api/chat/rooms/${place.room}/messages/send/`
  const kofi = await clientOf(daybook, 'kofi')
  const ama = await enter('ama')
  accepted(await kofi.post(path, { content: 'You are there' }))
  await ama.seen('message')
  expect(await mails()).toMatchObject({ items: [] })
  ama.socket.close()
  await ama.closed
  await eventually(
    'a mail',
    async () => {
      accepted(await kofi.post(path, { content: 'You were there' }))
      return mails()
    },
    ({ items }: { items: unknown[] }) => items.length > 0,
  )
  expect(await mails()).toMatchObject({ items: [{ purpose: 'new_message', channel: 'email' }] })
})
