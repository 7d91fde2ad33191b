import { z } from 'zod'
import { Attachment } from './attachments.ts'
import type { SusuProduct } from './deposits.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Asset } from './money.ts'

/** What an applicant asks for. */
export const OpeningPlan = z.enum(['daily_susu', 'shares', 'monthly_contribution'])
export type OpeningPlan = z.infer<typeof OpeningPlan>

/** The account that it becomes: who contributes by the month saves as a member. */
export const productOf: Readonly<Record<OpeningPlan, SusuProduct>> = {
  daily_susu: 'daily_susu',
  shares: 'shares',
  monthly_contribution: 'member_savings',
}

export const OpeningCard = z.enum(['standard', 'gold', 'platinum', 'none'])

/** What somebody shows to say who he is. */
export const IdentityDocument = z.enum([
  ...(['ghana_card', 'voter_id', 'passport', 'drivers_license', 'nhis_card', 'other'] as const),
])

const ADULT_YEARS = 18

/** The refusal unless who was born that day is an adult today; both are days, YYYY-MM-DD. */
export const unfitBirthDate = (born: string, today: string): Refusal | undefined => {
  const field = { field: 'date_of_birth' }
  if (born > today)
    return refuse('BIRTH_DATE_UNFIT', 'Date of birth cannot be in the future.', field)
  const latest = `${Number(today.slice(0, 4)) - ADULT_YEARS}${today.slice(4)}`
  return born > latest
    ? refuse('BIRTH_DATE_UNFIT', `The applicant must be at least ${ADULT_YEARS} years old.`, field)
    : undefined
}

const ByOpening = { opening: Identifier }

export const openingEvents = {
  OpeningSubmitted: z.object({
    /** Also the applicant's own id: his data is sealed under it, and he becomes the user of it. */
    ...ByOpening,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    asset: Asset,
    plan: OpeningPlan,
    card: OpeningCard,
    /** Sealed: who he is, how he is reached, what he lives on. */
    application: z.string().max(65_536),
    /** He has told a code that was sent to his phone. */
    phone_verified: z.boolean(),
    submitted_by: Identifier,
    submitted_at: Instant,
  }),
  OpeningPhotoAdded: z.object({ ...ByOpening, photo: Attachment, added_at: Instant }),
  OpeningApproved: z.object({ ...ByOpening, approved_by: Identifier, approved_at: Instant }),
  /** The customer is a user now, and the account is his. */
  OpeningFulfilled: z.object({ ...ByOpening, account: AccountCode, fulfilled_at: Instant }),
  /** It was approved and could not be fulfilled: it waits again. */
  OpeningReturned: z.object({
    ...ByOpening,
    code: z.string().max(64),
    detail: z.string().max(512),
    returned_at: Instant,
  }),
  OpeningRejected: z.object({
    ...ByOpening,
    /** Sealed. */
    reason: z.string().max(2048),
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** A first password is on its way to his phone. */
  OpeningCredentialsSent: z.object({
    ...ByOpening,
    message: Identifier,
    sent_by: Identifier,
    sent_at: Instant,
  }),
  /** The key of the applicant's sealed data is destroyed. */
  OpeningForgotten: z.object({ ...ByOpening, forgotten_at: Instant }),
} as const

type OpeningEvent = EventOf<typeof openingEvents>
type Data<Type extends keyof typeof openingEvents> = z.infer<(typeof openingEvents)[Type]>
export type OpeningSubmission = Data<'OpeningSubmitted'>

export type OpeningState = {
  /** accepted: approved, and the customer and his account are being made. */
  readonly status: 'unknown' | 'pending' | 'accepted' | 'approved' | 'completed' | 'rejected'
  readonly submission: OpeningSubmission | null
  readonly account: string | null
  readonly forgotten: boolean
}

const submit = ({ status }: OpeningState, data: OpeningSubmission): Decision<OpeningEvent> =>
  status === 'unknown'
    ? [{ type: 'OpeningSubmitted', data }]
    : refuse('OPENING_EXISTS', `There is an opening ${data.opening} already.`)

const notPending = (): Refusal =>
  refuse('OPENING_NOT_PENDING', 'The opening does not wait to be decided about.')

const addPhoto = (
  { status }: OpeningState,
  data: Data<'OpeningPhotoAdded'>,
): Decision<OpeningEvent> =>
  status === 'pending' ? [{ type: 'OpeningPhotoAdded', data }] : notPending()

/** The refusal unless `by` is another than who has submitted it. */
const submitterOf = ({ submission }: OpeningState, by: string): Refusal | undefined =>
  by === submission?.submitted_by
    ? refuse('MAKER_IS_CHECKER', 'Whoever submitted an opening does not decide about it.')
    : undefined

const undecidable = (state: OpeningState, by: string): Refusal | undefined =>
  submitterOf(state, by) ?? (state.status === 'pending' ? undefined : notPending())

const approve = (state: OpeningState, data: Data<'OpeningApproved'>): Decision<OpeningEvent> =>
  undecidable(state, data.approved_by) ?? [{ type: 'OpeningApproved', data }]

const reject = (state: OpeningState, data: Data<'OpeningRejected'>): Decision<OpeningEvent> =>
  undecidable(state, data.rejected_by) ?? [{ type: 'OpeningRejected', data }]

/** Several may make the same customer at once; the first to say so is enough. */
const fulfil = (
  { status }: OpeningState,
  data: Data<'OpeningFulfilled'>,
): Decision<OpeningEvent> => (status === 'accepted' ? [{ type: 'OpeningFulfilled', data }] : [])

const giveBack = (
  { status }: OpeningState,
  data: Data<'OpeningReturned'>,
): Decision<OpeningEvent> => (status === 'accepted' ? [{ type: 'OpeningReturned', data }] : [])

const sendCredentials = (
  state: OpeningState,
  data: Data<'OpeningCredentialsSent'>,
): Decision<OpeningEvent> => {
  const refusal = submitterOf(state, data.sent_by)
  if (refusal) return refusal
  return state.status === 'approved'
    ? [{ type: 'OpeningCredentialsSent', data }]
    : refuse('OPENING_NOT_APPROVED', 'Credentials are sent once, when the opening was approved.')
}

/** Of who became a customer there is more than his application. */
const forget = (
  { status, forgotten }: OpeningState,
  data: Data<'OpeningForgotten'>,
): Decision<OpeningEvent> => {
  if (forgotten) return []
  return status === 'rejected'
    ? [{ type: 'OpeningForgotten', data }]
    : refuse('OPENING_NOT_REJECTED', 'Only who was rejected is forgotten with his application.')
}

/** Somebody asks to become a customer: one submits it, another decides, then he gets his access. */
export const Opening = decider({
  category: 'opening',
  schemas: openingEvents,
  initial: (): OpeningState => ({
    ...{ status: 'unknown', submission: null, account: null, forgotten: false },
  }),
  evolve: {
    OpeningSubmitted: (state, submission): OpeningState => ({
      ...{ ...state, status: 'pending', submission },
    }),
    OpeningPhotoAdded: (state): OpeningState => state,
    OpeningApproved: (state): OpeningState => ({ ...state, status: 'accepted' }),
    OpeningFulfilled: (state, { account }): OpeningState => ({
      ...{ ...state, status: 'approved', account },
    }),
    OpeningReturned: (state): OpeningState => ({ ...state, status: 'pending' }),
    OpeningRejected: (state): OpeningState => ({ ...state, status: 'rejected' }),
    OpeningCredentialsSent: (state): OpeningState => ({ ...state, status: 'completed' }),
    OpeningForgotten: (state): OpeningState => ({ ...state, forgotten: true }),
  },
  decide: { submit, addPhoto, approve, reject, fulfil, giveBack, sendCredentials, forget },
})
