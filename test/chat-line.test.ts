import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHub, type Heard } from '../infra/chat/hub.ts'
import { createLine, SEND_TIMEOUT_MS } from '../infra/chat/line.ts'

/** A socket as its other end makes it: one that takes what it is sent, answers, or does neither. */
const wireOf = ({ takes = true, answers = true, bufferedAmount = 0 } = {}) => {
  const events = new EventEmitter()
  const done: string[] = []
  const wire = {
    bufferedAmount,
    send: (text: string, taken: () => void) => {
      done.push(text)
      if (takes) taken()
    },
    ping: () => void (answers && events.emit('pong')),
    close: (code: number) => void done.push(`close ${code}`),
    terminate: () => {
      done.push('terminate')
      events.emit('close')
    },
    on: events.on.bind(events),
  }
  const beats: number[] = []
  return { line: createLine(wire as never, () => beats.push(Date.now())), done, beats }
}

describe('a line', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('cuts off who does not take what was sent, and says nothing more to him', async () => {
    const { line, done } = wireOf({ takes: false })
    void line.send({ n: 1 })
    await vi.advanceTimersByTimeAsync(SEND_TIMEOUT_MS - 1)
    expect([done, line.signal.aborted]).toEqual([['{"n":1}'], false])
    await vi.advanceTimersByTimeAsync(1)
    await line.send({ n: 2 })
    expect([done, line.signal.aborted]).toEqual([['{"n":1}', 'close 4408'], true])
    await vi.advanceTimersByTimeAsync(SEND_TIMEOUT_MS)
    expect(done).toEqual(['{"n":1}', 'close 4408', 'terminate'])
  })

  test('ends when a heartbeat was not answered by the next', async () => {
    const [dead, alive] = [wireOf({ answers: false }), wireOf()]
    await vi.advanceTimersByTimeAsync(60_000)
    expect([dead.done, dead.beats.length]).toEqual([['terminate'], 1])
    expect([alive.done, alive.beats.length]).toEqual([[], 4])
  })

  test('leaves out what is only of the moment while much is under way', () => {
    const [busy, idle] = [wireOf({ bufferedAmount: 1_000_000 }), wireOf()]
    busy.line.mention({ type: 'typing' })
    idle.line.mention({ type: 'typing' })
    expect([busy.done, idle.done]).toEqual([[], ['{"type":"typing"}']])
  })
})

describe('a hub', () => {
  const listen = (hub: ReturnType<typeof createHub>, user: string, isSeen = true) => {
    const heard: Heard[] = []
    const leave = hub.join('room', { user, isSeen, hear: (one) => heard.push(one) })
    return { heard, leave }
  }

  test('tells of somebody once, however many connections he has', () => {
    const hub = createHub()
    const ben = listen(hub, 'ben')
    const [first, second] = [listen(hub, 'ada'), listen(hub, 'ada')]
    expect(hub.seenIn('room', 'ben')).toEqual(['ada'])
    first.leave()
    first.leave()
    expect(hub.isPresent('ada')).toBe(true)
    second.leave()
    expect(hub.isPresent('ada')).toBe(false)
    expect(ben.heard).toEqual([
      { what: 'presence', by: 'ada', online: true },
      { what: 'presence', by: 'ada', online: false },
    ])
    expect(second.heard).toEqual([])
  })

  test('does not tell of who does not want it, and tells nobody of himself', () => {
    const hub = createHub()
    const ben = listen(hub, 'ben')
    listen(hub, 'ada', false).leave()
    hub.tell('room', { what: 'typing', by: 'ben' })
    hub.tell('elsewhere', { what: 'moved', position: 1n })
    expect([ben.heard, hub.seenIn('room', 'eve')]).toEqual([[], ['ben']])
  })

  test('has room for so many of one user', () => {
    const hub = createHub()
    const last = Array.from({ length: 20 }, () => listen(hub, 'ada')).at(-1)
    expect([hub.hasRoomFor('ada'), hub.hasRoomFor('ben')]).toEqual([false, true])
    last?.leave()
    expect(hub.hasRoomFor('ada')).toBe(true)
  })
})
