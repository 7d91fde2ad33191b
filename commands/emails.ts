import { Customer } from '../domain/customers.ts'
import { Email, type EmailState } from '../domain/emails.ts'
import { isRefusal, type Refusal } from '../domain/kernel.ts'
import { type Context, submitStep } from './kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'

/** Addresses differ neither by case nor by the ways of writing the same letter. */
const claimOf = ({ secrets }: Pick<Ports, 'secrets'>, email: string): string =>
  secrets.claim('email', email.normalize('NFKC').toLowerCase())

const exists = async (ports: Looking, customer: string): Promise<boolean> =>
  (await lookAt(ports, Customer, customer)).profile !== null

/** Makes sure that the address is this customer's and nobody else's. */
export const claimEmail = async (
  ports: Ports,
  email: string,
  holder: string,
  context: Context,
): Promise<Refusal | undefined> => {
  const stream = claimOf(ports, email)
  const { holder: known } = await lookAt(ports, Email, stream)
  const abandoned = known !== null && !(await exists(ports, known)) ? known : null
  const at = context.at.toISOString()
  const outcome = await submitStep(
    ports,
    {
      name: 'emails.claim',
      decider: Email,
      stream,
      on: 'any',
      otherwise: 'EMAIL_TAKEN',
      decide: (now: EmailState) => Email.decide.claim(now, { holder, abandoned, at }),
    },
    context,
  )
  return isRefusal(outcome) ? outcome : undefined
}

/** Gives the address free again, if it is this customer's. */
export const releaseEmail = async (
  ports: Ports,
  email: string,
  holder: string,
  context: Context,
): Promise<void> => {
  await submitStep(
    ports,
    {
      name: 'emails.release',
      decider: Email,
      stream: claimOf(ports, email),
      on: 'any',
      otherwise: 'EMAIL_TAKEN',
      decide: (now: EmailState) =>
        Email.decide.release(now, { holder, at: context.at.toISOString() }),
    },
    context,
  )
}
