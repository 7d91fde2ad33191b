import type { z } from 'zod'
import { type Command, execute, type Ports } from '../../commands/kernel.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { SYSTEM } from '../ports.ts'
import { StartError } from '../start/error.ts'

/**
 * Asks for one thing as of a time gone by. The key makes it safe to ask again: what had been done
 * before an interruption is answered and not done twice. Throws StartError when it is refused.
 */
export type Ask = <Input extends z.ZodType, Values, Answer>(
  key: string,
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
  at: Date,
) => Promise<Answer>

export const asker =
  (ports: Ports): Ask =>
  async (key, command, input, at) => {
    const context = { actor: SYSTEM, at, correlation: `demo-${key}`, key: `demo-${key}` }
    const outcome = await execute(ports, command, command.input.parse(input), context)
    if (!isRefusal(outcome)) return outcome.answer
    throw new StartError(`The demo bank cannot be loaded, at ${key}: ${outcome.detail}`)
  }
