import type { z } from 'zod'
import { type Command, execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal, type Refusal } from '../../domain/kernel.ts'
import { SYSTEM } from '../system.ts'

/** What is to be there was refused by a rule: it contradicts itself, or what is there already. */
export class SeedRefused extends Error {
  readonly refusal: Refusal
  constructor(what: string, refusal: Refusal) {
    super(`${what}: ${refusal.detail}`)
    this.name = 'SeedRefused'
    this.refusal = refusal
  }
}

/**
 * Asks for one thing in Daybook's own name, as of a time gone by. A key makes it safe to ask again:
 * what had been done before an interruption is answered and not done twice. Throws SeedRefused.
 */
export type Ask = <Input extends z.ZodType, Values, Answer>(
  key: string | undefined,
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
  at: Date,
) => Promise<Answer>

/** `name`: what keys and correlations begin with. */
export const asker =
  (ports: Ports, name: string): Ask =>
  async (key, command, input, at) => {
    const named = key === undefined ? name : `${name}-${key}`
    const context = {
      actor: SYSTEM,
      at,
      correlation: named,
      ...(key !== undefined && { key: named }),
    }
    const outcome = await execute(ports, command, command.input.parse(input), context)
    if (isRefusal(outcome)) throw new SeedRefused(key ?? command.name, outcome)
    return outcome.answer
  }
