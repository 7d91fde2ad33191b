/** The test door, as cases.md describes it. */
import { z } from 'zod'
import type { Answer } from './expect.ts'
import { excerpt } from './json_path.ts'
import type { Scope } from './placeholders.ts'
import { ask, type Target } from './request.ts'

const Given = z.object({ refs: z.record(z.string(), z.looseObject({})) })

const Sent = z.object({ items: z.array(z.looseObject({ secret: z.string().nullable() })) })

const knock = async (
  target: Target,
  name: string,
  init: RequestInit,
  expected: number,
): Promise<Answer> => {
  try {
    const answer = await ask(target, `${target.baseUrl}/test/${name}`, init)
    if (answer.status === expected) return answer
    throw new Error(`status ${answer.status}, expected ${expected}: ${excerpt(answer.text)}`)
  } catch (error) {
    throw new Error(
      `${init.method} /test/${name}: ${error instanceof Error ? error.message : error}`,
    )
  }
}

const tell = (target: Target, name: string, body: unknown, expected: number): Promise<Answer> => {
  const init = {
    method: 'POST',
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    }),
  }
  return knock(target, name, init, expected)
}

export const reset = async (target: Target): Promise<void> => {
  await tell(target, 'reset', undefined, 204)
}

/** Sets the clock, which then stays there; `null` lets it run again. */
export const setClock = async (target: Target, now: string | null): Promise<void> => {
  await tell(target, 'clock', { now }, 204)
}

/** Brings a state about, and answers what its refs stand for. */
export const give = async (
  target: Target,
  contract: string,
  given: unknown,
): Promise<Scope['refs']> => {
  const { json, text } = await tell(target, 'given', { contract, given }, 200)
  const parsed = Given.safeParse(json)
  if (!parsed.success) throw new Error(`POST /test/given: no refs in the answer: ${excerpt(text)}`)
  return parsed.data.refs
}

/** The code or first password in the newest message that has one: what its reader would type. */
export const lastSecret = async (target: Target): Promise<string> => {
  const { json } = await knock(target, 'outbox', { method: 'GET' }, 200)
  const secret = Sent.parse(json).items.find((item) => item.secret !== null)?.secret
  if (secret) return secret
  throw new Error('no message with a code in it has been sent')
}
