/** Account openings and closures of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import {
  approveClosure,
  carryOutClosure,
  rejectClosure,
  requestClosure,
} from '../../commands/closures.ts'
import { type Command, execute } from '../../commands/kernel.ts'
import { Application, submitOpening } from '../../commands/openings.ts'
import {
  approveOpening,
  dispatchCredentials,
  fulfilOpening,
  rejectOpening,
} from '../../commands/openings_decisions.ts'
import { ClosureReason } from '../../domain/closures.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { OpeningCard, OpeningPlan } from '../../domain/openings.ts'
import type { Role } from '../../domain/permissions.ts'
import { SeedRefused } from './ask.ts'
import type { Sowing } from './coastal.ts'
import { missing, Ref } from './coastal_money.ts'
import type { Refs } from './machine.ts'

const book = 'main'
const asset = 'GHS/2'

const { phone: Phone, next_of_kin: _kin, ...person } = Application.shape

export const GivenOpening = z.strictObject({
  ...person,
  ref: Ref,
  first_name: person.first_name.default('Jane'),
  last_name: person.last_name.default('Smith'),
  date_of_birth: person.date_of_birth.default('1992-05-15'),
  id_type: person.id_type.default('ghana_card'),
  id_number: person.id_number.default('GHA-123456789-0'),
  phone_number: Phone.default('0247654321'),
  account_type: OpeningPlan.default('daily_susu'),
  card_type: OpeningCard.default('standard'),
  status: z.enum(['pending', 'approved', 'completed', 'rejected']).default('pending'),
  /** The ref of a user; absent: Daybook itself. */
  submitted_by: Ref.optional(),
  reason: z.string().max(512).default('Given'),
})
type GivenOpening = z.infer<typeof GivenOpening>

export const GivenClosure = z.strictObject({
  ref: Ref,
  /** The ref of an account. */
  account: Ref,
  closure_reason: ClosureReason.default('customer_request'),
  other_reason: z.string().max(256).optional(),
  phone: z.string().max(32).optional(),
  otp_verified: z.boolean().optional(),
  status: z.enum(['pending', 'approved', 'rejected']).default('pending'),
  submitted_by: Ref.optional(),
})
type GivenClosure = z.infer<typeof GivenClosure>

/** By the user of this ref, or by Daybook itself. */
const askBy = async <Input extends z.ZodType, Values, Answer>(
  { ports, ask, at }: Sowing,
  users: Refs,
  ref: string | undefined,
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
): Promise<Answer> => {
  if (ref === undefined) return ask(undefined, command, input, at)
  const id = users[ref]?.user
  if (id === undefined) throw missing(command.name, ref)
  const context = {
    actor: { id: String(id), roles: ['admin'] as Role[] },
    at,
    correlation: 'given',
  }
  const receipt = await execute(ports, command, command.input.parse(input), context)
  if (isRefusal(receipt)) throw new SeedRefused(command.name, receipt)
  return receipt.answer
}

const provideOpening = async (sowing: Sowing, users: Refs, given: GivenOpening) => {
  const { ask, at } = sowing
  const { ref: _ref, account_type, card_type, status, submitted_by, reason, ...rest } = given
  const { phone_number: phone, ...known } = rest
  const asked = {
    ...{ book, asset, plan: account_type, card: card_type },
    application: { ...known, phone },
  }
  const { opening, number } = await askBy(sowing, users, submitted_by, submitOpening, asked)
  if (status === 'rejected') await ask(undefined, rejectOpening, { opening, reason }, at)
  if (status === 'approved' || status === 'completed') {
    await ask(undefined, approveOpening, { opening }, at)
    await ask(undefined, fulfilOpening, { opening }, at)
  }
  if (status === 'completed') await ask(undefined, dispatchCredentials, { opening }, at)
  return { id: number, opening }
}

/** One after another, so that their ids follow the order in which they are given. */
export const seedOpenings = async (
  sowing: Sowing,
  openings: readonly GivenOpening[],
  users: Refs,
): Promise<Refs> => {
  const refs: Record<string, Refs[string]> = {}
  for (const given of openings) refs[given.ref] = await provideOpening(sowing, users, given)
  return refs
}

/**
 * Asks for the given closures, which has to be while the accounts are empty: what they are given
 * comes in afterwards.
 */
export const seedClosures = async (
  sowing: Sowing,
  closures: readonly GivenClosure[],
  refs: Refs,
): Promise<Refs> => {
  const made: Record<string, Refs[string]> = {}
  for (const given of closures) {
    const { ref, account, closure_reason: reason, status: _status, submitted_by, ...said } = given
    const code = refs[account]?.account
    if (code === undefined) throw missing('closures', account)
    const asked = { book, account: String(code), reason, ...said }
    const { closure, number } = await askBy(sowing, refs, submitted_by, requestClosure, asked)
    made[ref] = { id: number, closure }
  }
  return made
}

/** Decides about those that are not pending, once everything else is as it was given. */
export const decideClosures = async (
  { ask, at }: Sowing,
  closures: readonly GivenClosure[],
  refs: Refs,
): Promise<void> => {
  for (const { ref, status } of closures) {
    const closure = String(refs[ref]?.closure)
    if (status === 'rejected') await ask(undefined, rejectClosure, { closure }, at)
    if (status !== 'approved') continue
    await ask(undefined, approveClosure, { closure }, at)
    await ask(undefined, carryOutClosure, { closure }, at)
  }
}
