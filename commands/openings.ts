import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { Asset } from '../domain/money.ts'
import {
  IdentityDocument,
  Opening,
  OpeningCard,
  OpeningPlan,
  type OpeningState,
  type OpeningSubmission,
  openingEvents,
  unfitBirthDate,
} from '../domain/openings.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { dataOf, existingBook } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import { GhanaPhone, hasProven } from './openings_codes.ts'
import type { Ports } from './ports.ts'
import { findUser } from './usernames.ts'

const Text = z.string().trim().max(256)
const Name = z.string().trim().min(1).max(100)

/** Who applies. All of it is sealed under the opening's id. */
export const Application = z.strictObject({
  first_name: Name,
  last_name: Name,
  date_of_birth: z.iso.date(),
  id_type: IdentityDocument,
  id_number: z.string().trim().min(1).max(64),
  phone: GhanaPhone,
  /** He signs in with it, so that it is a username too. */
  email: z.email().max(128),
  nationality: Text.default('Ghanaian'),
  address: Text.default(''),
  occupation: Text.default(''),
  work_address: Text.default(''),
  position: Text.default(''),
  digital_address: Text.default(''),
  location: Text.default(''),
  /** Name, phone, relationship: whatever is known of him. */
  next_of_kin: z
    .record(z.string().min(1).max(64), Text)
    .refine((kin) => Object.keys(kin).length <= 16, 'has more than 16 fields')
    .default({}),
})
type Application = z.infer<typeof Application>

const sealApplication = (
  { ports, context }: Enrichment,
  opening: string,
  { next_of_kin, ...application }: Application,
): Promise<string> | '' =>
  // A dry run leaves nothing behind, so it makes no key either.
  context.dryRun
    ? ''
    : ports.vault.seal(opening, { ...application, next_of_kin: JSON.stringify(next_of_kin) })

/** The refusal when somebody else than `user` signs in with the address. */
export const takenEmail = async (
  ports: Ports,
  email: string,
  user: string,
): Promise<Refusal | undefined> => {
  const holder = await findUser(ports, email)
  return holder && holder.id !== user
    ? refuse('EMAIL_TAKEN', 'A user with this email already exists.', { field: 'email' })
    : undefined
}

export const lookAtOpening = (ports: Looking, opening: string): Promise<OpeningState> =>
  lookAt(ports, Opening, opening)

type Submitted = {
  readonly book: string
  readonly asset: string
  readonly plan: OpeningPlan
  readonly card: z.infer<typeof OpeningCard>
  readonly application: Application
}

const unkept = async (ports: Ports, { book, asset }: Submitted): Promise<Refusal | undefined> => {
  const state = await existingBook(ports, book)
  if (isRefusal(state)) return state
  const { assets } = state
  return assets.includes(asset)
    ? undefined
    : refuse('ASSET_UNKNOWN', `The book keeps ${assets.join(', ')}, not ${asset}.`)
}

/** What is recorded. What could not be fulfilled now is refused before anything is written. */
const submissionOf = async (
  submitted: Submitted,
  opening: string,
  phone_verified: boolean,
  enrichment: Enrichment,
): Promise<OpeningSubmission | Refusal> => {
  const { ports, context, at } = enrichment
  const { application, ...asked } = submitted
  const refused =
    unfitBirthDate(application.date_of_birth, at.slice(0, 10)) ??
    (await takenEmail(ports, application.email, opening)) ??
    (await unkept(ports, submitted))
  if (refused) return refused
  return {
    ...{ opening, ...asked, phone_verified },
    number: await takeNumber(enrichment, 'openings'),
    application: await sealApplication(enrichment, opening, application),
    ...{ submitted_by: context.actor.id, submitted_at: at },
  }
}

const Submission = z.strictObject({
  ...{ book: BookId, asset: Asset, plan: OpeningPlan },
  card: OpeningCard.default('standard'),
  application: Application,
})

const submitting = {
  permission: 'openings:work',
  decider: Opening,
  on: 'new',
  otherwise: 'OPENING_EXISTS',
  ifMatch: 'stream',
  /** Null: it was submitted before, so that the engine knows what to answer. */
  decide: (state: OpeningState, submission: OpeningSubmission | null) =>
    submission === null ? [] : Opening.decide.submit(state, submission),
  answer: (events: Parameters<typeof dataOf>[0]) => {
    const { opening, number } = dataOf<OpeningSubmission>(events, 'OpeningSubmitted')
    return { opening, number }
  },
} as const

/** Asks for a customer's access and account; somebody else decides. */
export const submitOpening = command({
  name: 'openings.submit',
  ...submitting,
  input: Submission,
  stream: (_input, { newId }) => newId(),
  enrich: async (input, enrichment): Promise<OpeningSubmission | Refusal | null> =>
    (await enrichment.isRepeated())
      ? null
      : submissionOf(input, enrichment.newId(), false, enrichment),
})

/** The same of somebody who has told the code that was sent to his phone. */
export const submitVerifiedOpening = command({
  name: 'openings.submit_verified',
  ...submitting,
  /** `opening`: what proving the phone was answered with. */
  input: Submission.extend({ opening: Identifier }),
  stream: ({ opening }) => opening,
  enrich: async (
    { opening, ...input },
    enrichment,
  ): Promise<OpeningSubmission | Refusal | null> => {
    const { ports } = enrichment
    // Nothing is sealed for who is there already, or has been forgotten.
    if ((await lookAtOpening(ports, opening)).submission) return null
    if (!(await hasProven(ports, input.application.phone, opening))) {
      return refuse('CODE_NOT_SENT', 'The phone is not verified by this code.')
    }
    return submissionOf(input, opening, true, enrichment)
  },
})

/** Commands to openings that exist. */
export const openingCommand = onExisting({
  decider: Opening,
  field: 'opening',
  otherwise: 'OPENING_NOT_FOUND',
})

/** A picture of the applicant, kept under the opening's id. */
export const addOpeningPhoto = openingCommand({
  name: 'openings.add_photo',
  permission: 'openings:work',
  input: z.strictObject({
    opening: Identifier,
    photo: openingEvents.OpeningPhotoAdded.shape.photo,
  }),
  enrich: ({ opening, photo }, { at }) => ({ opening, photo, added_at: at }),
  decide: Opening.decide.addPhoto,
  answer: (_events, { opening }) => ({ opening }),
})
