/** The test door, as cases.md describes it. */
import { z } from 'zod'
import type { Answer } from './expect.ts'
import { excerpt } from './json_path.ts'
import type { Scope } from './placeholders.ts'
import { ask, type Target } from './request.ts'

const Given = z.object({ refs: z.record(z.string(), z.looseObject({})) })

const knock = async (
  target: Target,
  name: string,
  body: unknown,
  expected: number,
): Promise<Answer> => {
  const url = `${target.baseUrl}/test/${name}`
  const init = {
    method: 'POST',
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    }),
  }
  try {
    const answer = await ask(target, url, init)
    if (answer.status === expected) return answer
    throw new Error(`status ${answer.status}, expected ${expected}: ${excerpt(answer.text)}`)
  } catch (error) {
    throw new Error(`POST /test/${name}: ${error instanceof Error ? error.message : error}`)
  }
}

export const reset = async (target: Target): Promise<void> => {
  await knock(target, 'reset', undefined, 204)
}

/** Sets the clock, which then stays there; `null` lets it run again. */
export const setClock = async (target: Target, now: string | null): Promise<void> => {
  await knock(target, 'clock', { now }, 204)
}

/** Brings a state about, and answers what its refs stand for. */
export const give = async (
  target: Target,
  contract: string,
  given: unknown,
): Promise<Scope['refs']> => {
  const { json, text } = await knock(target, 'given', { contract, given }, 200)
  const parsed = Given.safeParse(json)
  if (!parsed.success) throw new Error(`POST /test/given: no refs in the answer: ${excerpt(text)}`)
  return parsed.data.refs
}
