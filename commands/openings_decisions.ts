import { z } from 'zod'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import {
  Opening,
  type OpeningState,
  type OpeningSubmission,
  productOf,
} from '../domain/openings.ts'
import { openDeposit } from './deposits.ts'
import { firstPasswordOf } from './first_passwords.ts'
import { type Enrichment, execute } from './kernel.ts'
import { importMember } from './members.ts'
import { lookAtOpening, openingCommand, takenEmail } from './openings.ts'
import { queueMessage } from './outbox.ts'
import type { Ports } from './ports.ts'
import { sealText } from './texts.ts'
import { lookAtUser } from './usernames.ts'

const ByOpening = z.strictObject({ opening: Identifier })

const openApplication = async ({ vault }: Ports, { opening, application }: OpeningSubmission) => {
  const opened = await vault.open(opening, application)
  if (!opened) throw new Error(`the applicant of ${opening} was forgotten`)
  const { email = '', phone = '', first_name = '', last_name = '' } = opened
  return { email, phone, name: `${first_name} ${last_name}` }
}

/** Lets an opening pass, unless somebody has the address by now; making the customer comes next. */
export const approveOpening = openingCommand({
  name: 'openings.approve',
  permission: 'openings:decide',
  input: ByOpening,
  enrich: async ({ opening }, { ports, context, at }) => {
    const approval = { opening, approved_by: context.actor.id, approved_at: at }
    const state = await lookAtOpening(ports, opening)
    // Who may not, or comes too late, is told so first; and a repetition what it was told.
    if (!state.submission || isRefusal(Opening.decide.approve(state, approval))) return approval
    const { email } = await openApplication(ports, state.submission)
    return (await takenEmail(ports, email, opening)) ?? approval
  },
  decide: Opening.decide.approve,
  answer: (_events, { opening }) => ({ opening, status: 'accepted' as const }),
})

/** Of the applicant's data, the reason is kept; the rest too, until he is forgotten. */
export const rejectOpening = openingCommand({
  name: 'openings.reject',
  permission: 'openings:decide',
  input: ByOpening.extend({ reason: z.string().trim().max(512).default('') }),
  enrich: async ({ opening, reason }, enrichment) => {
    const { ports, context, at } = enrichment
    const rejection = { opening, reason: '', rejected_by: context.actor.id, rejected_at: at }
    const state = await lookAtOpening(ports, opening)
    // Nothing is sealed for who has been forgotten.
    if (isRefusal(Opening.decide.reject(state, rejection))) return rejection
    return { ...rejection, reason: await sealText(enrichment, opening, reason) }
  },
  decide: Opening.decide.reject,
  answer: (_events, { opening }) => ({ opening, status: 'rejected' as const }),
})

/** In nobody's name but Daybook's, so that whoever asks again asks for the same. */
const inOwnName = ({ context }: Enrichment, key?: string) => ({
  ...context,
  ...{ actor: { id: 'system', roles: ['system' as const] }, key, ifMatch: undefined },
})

/** The customer as a user of the opening's own id; who is there already stays as he is. */
const makeCustomer = async (
  enrichment: Enrichment,
  submission: OpeningSubmission,
): Promise<Refusal | undefined> => {
  const { ports } = enrichment
  const { opening } = submission
  if (await lookAtUser(ports, opening)) return undefined
  const { email, phone, name } = await openApplication(ports, submission)
  const password = firstPasswordOf(ports, opening)
  const member = { user: opening, username: email, email, phone, name, password }
  const asked = { ...member, roles: ['customer' as const] }
  const made = await execute(ports, importMember, asked, inOwnName(enrichment))
  return isRefusal(made) && made.refused !== 'USER_EXISTS' ? made : undefined
}

/** His account's code. Under the opening's key it is opened once. */
const openAccount = async (
  enrichment: Enrichment,
  { opening, book, asset, plan }: OpeningSubmission,
): Promise<string | Refusal> => {
  const wanted = { book, asset, customer: opening, product: productOf[plan], velocity_limits: [] }
  const context = inOwnName(enrichment, `opening:${opening}:account`)
  const opened = await execute(enrichment.ports, openDeposit, wanted, context)
  return isRefusal(opened) ? opened : opened.answer.account
}

type Made = { readonly opening: string; readonly at: string } & (
  | { readonly account: string }
  | { readonly refusal: Refusal }
)

const settle = (state: OpeningState, { opening, at, ...made }: Made) => {
  if ('account' in made) {
    return Opening.decide.fulfil(state, { opening, account: made.account, fulfilled_at: at })
  }
  const { refused: code, detail } = made.refusal
  return Opening.decide.giveBack(state, { opening, code, detail, returned_at: at })
}

/**
 * Makes the customer and opens his account once an opening is approved. Safe to ask for again, as
 * after a process that ended in between: ids and keys follow from the opening. What is refused
 * waits to be decided about again.
 */
export const fulfilOpening = openingCommand({
  name: 'openings.fulfil',
  permission: 'openings:decide',
  input: ByOpening,
  enrich: async ({ opening }, enrichment): Promise<Made | Refusal> => {
    const { ports, at } = enrichment
    const { status, submission, account } = await lookAtOpening(ports, opening)
    if (!submission) return refuse('OPENING_NOT_FOUND', `There is no opening ${opening}.`)
    if (account !== null) return { opening, at, account }
    if (status !== 'accepted') return refuse('OPENING_NOT_APPROVED', 'It has not been approved.')
    const unmade = await makeCustomer(enrichment, submission)
    if (unmade) return { opening, at, refusal: unmade }
    const opened = await openAccount(enrichment, submission)
    return isRefusal(opened) ? { opening, at, refusal: opened } : { opening, at, account: opened }
  },
  decide: settle,
  answer: (_events, { opening }, made) =>
    'refusal' in made ? made.refusal : { opening, account: made.account },
})

/** The message is queued before it is said to be sent, so that none is lost in between. */
const queueCredentials = async (
  { ports, context }: Enrichment,
  submission: OpeningSubmission,
  message: string,
): Promise<void> => {
  const { opening } = submission
  const { email, phone } = await openApplication(ports, submission)
  const password = firstPasswordOf(ports, opening)
  const text = `Your account is open. Log in as ${email}; your first password is ${password}`
  const sms = { channel: 'sms', purpose: 'first_password', recipient: phone } as const
  const said = { title: 'Your account', body: text, secret: password, expires_at: null }
  await queueMessage(ports, { message, subject: opening, ...sms, ...said }, context)
}

/** Has the customer's first password sent to his phone, and nowhere else; once. */
export const dispatchCredentials = openingCommand({
  name: 'openings.dispatch_credentials',
  permission: 'openings:decide',
  input: ByOpening,
  enrich: async ({ opening }, enrichment) => {
    const { ports, context, at } = enrichment
    const message = idFrom(`credentials of ${opening}`)
    const sending = { opening, message, sent_by: context.actor.id, sent_at: at }
    const state = await lookAtOpening(ports, opening)
    const isDue = state.submission && !isRefusal(Opening.decide.sendCredentials(state, sending))
    if (isDue && !context.dryRun) await queueCredentials(enrichment, state.submission, message)
    return sending
  },
  decide: Opening.decide.sendCredentials,
  answer: (_events, { opening }) => ({ opening, status: 'completed' as const }),
})

/** Destroys the key of what a rejected applicant has said of himself, his photo and codes too. */
export const forgetOpening = openingCommand({
  name: 'openings.forget',
  permission: 'openings:decide',
  input: ByOpening,
  enrich: ({ opening }, { at }) => ({ opening, forgotten_at: at }),
  decide: Opening.decide.forget,
  after: ({ opening }, { ports }) => ports.vault.forget(opening),
  answer: (_events, { opening }) => ({ opening }),
})
