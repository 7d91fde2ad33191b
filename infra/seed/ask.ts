import type { z } from 'zod'
import { type Command, execute, type Ports } from '../../commands/kernel.ts'
import { isRefusal, type Refusal } from '../../domain/kernel.ts'
import { SYSTEM } from '../ports.ts'

/** What is to be there was refused by a rule: it contradicts itself, or what is there already. */
export class SeedRefused extends Error {
  readonly refusal: Refusal
  constructor(what: string, refusal: Refusal) {
    super(`${what}: ${refusal.detail}`)
    this.name = 'SeedRefused'
    this.refusal = refusal
  }
}

/** Asks for something in Daybook's own name, as of a time gone by. Throws SeedRefused. */
export type Ask = <Input extends z.ZodType, Values, Answer>(
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
) => Promise<Answer>

export const askAt =
  (ports: Ports, at: Date): Ask =>
  async (command, input) => {
    const context = { actor: SYSTEM, at, correlation: 'seed' }
    const outcome = await execute(ports, command, command.input.parse(input), context)
    if (isRefusal(outcome)) throw new SeedRefused(command.name, outcome)
    return outcome.answer
  }
