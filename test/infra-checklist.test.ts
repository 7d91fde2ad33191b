import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { checklist } from '../infra/start/checklist.ts'

function collector(terminal: boolean) {
  const written: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return { stream: Object.assign(stream, { isTTY: terminal, columns: 40 }), written }
}

describe('checklist', () => {
  test('elsewhere than on a terminal: one plain line per finished step', async () => {
    const { stream, written } = collector(false)
    const list = checklist(stream)
    await list.step('Postgres 18', async (progress) => {
      progress('initdb')
      return '127.0.0.1:5432'
    })
    await list.step('API', async () => '')
    const plain = written.join('').replaceAll(/ +\d+ ms/g, ' N ms')
    expect(plain).toBe('✓ Postgres 18 N ms  127.0.0.1:5432\n✓ API N ms\n')
  })

  test('a failed step is marked and thrown on', async () => {
    const { stream, written } = collector(false)
    const failure = checklist(stream).step('Event store', () => Promise.reject(new Error('no')))
    await expect(failure).rejects.toThrow('no')
    expect(written).toEqual(['✗ Event store\n'])
  })

  test('on a terminal the steps under way turn on one line that never wraps', async () => {
    vi.useFakeTimers()
    try {
      const { stream, written } = collector(true)
      const list = checklist(stream)
      const first = Promise.withResolvers<string>()
      const second = Promise.withResolvers<string>()
      const steps = [
        list.step('Postgres 18', (progress) => {
          progress('creating the cluster')
          return first.promise
        }),
        list.step('Event store', () => second.promise),
      ]
      await vi.advanceTimersByTimeAsync(100)
      const spinning = stripVTControlCharacters(written.at(-1) ?? '').trim()
      expect(spinning).toMatch(/^⠙ Postgres 18: creating the cluster ·/)
      expect(spinning.length).toBeLessThan(40)
      first.resolve('ready')
      await steps[0]
      await vi.advanceTimersByTimeAsync(100)
      expect(stripVTControlCharacters(written.at(-1) ?? '').trim()).toMatch(/^\S Event store$/)
      second.resolve('ready')
      await steps[1]
      expect(written.at(-1)).toMatch(/✓.* Event store .*ready\n$/)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
