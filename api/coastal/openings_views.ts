import { z } from '@hono/zod-openapi'
import { Application } from '../../commands/openings.ts'
import { IdentityDocument, OpeningCard, OpeningPlan } from '../../domain/openings.ts'
import { findOpening, type OpeningView } from '../../projections/openings_queries.ts'
import { ask } from '../contract.ts'
import { instant } from '../formats.ts'
import type { Call } from '../route.ts'
import { afterwards, kept } from './accounts.ts'
import { GivenId, orRequired } from './amounts.ts'
import { REQUIRED } from './errors.ts'
import { masks } from './masking.ts'
import { seesPersonal } from './views.ts'

export const Status = z.enum(['pending', 'approved', 'completed', 'rejected'])
type Status = z.infer<typeof Status>

/** What was approved and is not fulfilled yet has made nobody a customer. */
export const statuses: Readonly<Record<Status, readonly OpeningView['status'][]>> = {
  pending: ['pending', 'accepted'],
  approved: ['approved'],
  completed: ['completed'],
  rejected: ['rejected'],
}

const { phone: Phone, next_of_kin: Kin, ...person } = Application.shape

const required = { error: orRequired('Not a valid choice.') }

/** A form has one text where JSON may have several fields. */
const GivenKin = z
  .union([z.string().trim().max(256), Kin.unwrap()])
  .transform((kin) => (typeof kin === 'string' ? { name: kin } : kin))

const fields = {
  ...person,
  account_type: z.enum(OpeningPlan.options, required),
  id_type: z.enum(IdentityDocument.options, required),
  card_type: OpeningCard.default('standard'),
  phone_number: Phone.optional(),
  phone: Phone.optional(),
  next_of_kin: GivenKin.optional(),
}

const hasPhone = ({ phone_number, phone }: { phone_number?: unknown; phone?: unknown }) =>
  (phone_number ?? phone) !== undefined

const phoneRequired = {
  path: ['phone_number'],
  message: REQUIRED,
  // Also when another field is wrong.
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
}

/** A phone on its own. */
export const GivenPhone = z
  .object({ phone_number: fields.phone_number, phone: fields.phone })
  .refine(hasPhone, phoneRequired)

export const phoneOf = ({ phone_number, phone }: z.infer<typeof GivenPhone>): string =>
  phone_number ?? phone ?? ''

/** What an opening is asked for with; `more`: what else the route takes. */
export const openingInput = <More extends z.core.$ZodLooseShape>(more: More) =>
  z.object({ ...fields, ...more }).refine(hasPhone, phoneRequired)

type Given = z.infer<z.ZodObject<typeof fields>>

/** The same in the words of the command. */
export const submissionOf = ({ account_type, card_type, ...given }: Given) => {
  const { phone_number, phone, next_of_kin = {}, ...rest } = given
  return {
    ...{ plan: account_type, card: card_type },
    application: { ...rest, phone: phoneOf({ phone_number, phone }), next_of_kin },
  }
}

export const Opening = z
  .object({
    id: z.int(),
    status: Status,
    account_type: OpeningPlan,
    card_type: z.string(),
    ...{ first_name: z.string(), last_name: z.string(), date_of_birth: z.string() },
    id_type: z.union([IdentityDocument, z.literal('')]),
    ...{ id_number: z.string(), nationality: z.string(), address: z.string() },
    ...{ phone_number: z.string(), email: z.string(), occupation: z.string() },
    ...{ work_address: z.string(), position: z.string(), digital_address: z.string() },
    location: z.string(),
    next_of_kin: z.record(z.string(), z.string()),
    photo: z.string().nullable(),
    phone_verified: z.boolean(),
    submitted_by: z.int().nullable(),
    reviewed_by: z.int().nullable(),
    reviewed_at: z.string().nullable(),
    rejection_reason: z.string(),
    created_user: z.int().nullable(),
    created_account: z.int().nullable(),
    credentials_sent_by: z.int().nullable(),
    credentials_sent_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('CoastalAccountOpening')

const asItIs = (text: string): string => text
const plain = { name: asItIs, idNumber: asItIs, phone: asItIs, birthDate: asItIs, text: asItIs }

/** The applicant as he is shown to somebody: masked below managers, blank once forgotten. */
const applicantShownTo = (call: Pick<Call, 'identity'>) => {
  const show = seesPersonal(call.identity) ? plain : masks
  return (application: OpeningView['application']) => {
    const { next_of_kin = '{}', ...given } = application ?? {}
    const textOf = (name: string): string => show.text(given[name] ?? '')
    const kin = Object.entries(JSON.parse(next_of_kin) as Record<string, string>)
    return {
      first_name: show.name(given.first_name ?? ''),
      last_name: show.name(given.last_name ?? ''),
      date_of_birth: show.birthDate(given.date_of_birth ?? ''),
      id_type: (given.id_type ?? '') as z.infer<typeof IdentityDocument> | '',
      id_number: show.idNumber(given.id_number ?? ''),
      nationality: textOf('nationality'),
      address: textOf('address'),
      phone_number: show.phone(given.phone ?? ''),
      email: textOf('email'),
      occupation: textOf('occupation'),
      work_address: textOf('work_address'),
      position: textOf('position'),
      digital_address: textOf('digital_address'),
      location: textOf('location'),
      next_of_kin: Object.fromEntries(kin.map(([name, text]) => [name, show.text(text)])),
    }
  }
}

/** An opening as the bank's staff know it. */
export const openingShownTo = (call: Pick<Call, 'identity'>) => {
  const shown = seesPersonal(call.identity)
  const applicantOf = applicantShownTo(call)
  return (opening: OpeningView): z.infer<typeof Opening> => ({
    id: opening.number,
    status: opening.status === 'accepted' ? 'pending' : opening.status,
    account_type: opening.plan,
    card_type: opening.card,
    ...applicantOf(opening.application),
    photo: opening.photo === null ? null : `/api/banking/account-openings/${opening.number}/photo/`,
    phone_verified: opening.phone_verified,
    submitted_by: opening.submitted_by,
    reviewed_by: opening.decided_by,
    reviewed_at: opening.decided_at && instant(opening.decided_at),
    rejection_reason: shown ? (opening.reason ?? '') : masks.text(opening.reason ?? ''),
    created_user: opening.customer,
    created_account: opening.account_id,
    credentials_sent_by: opening.sent_by,
    credentials_sent_at: opening.sent_at && instant(opening.sent_at),
    created_at: instant(opening.submitted_at),
    updated_at: instant(opening.changed_at),
  })
}

export const ById = z.object({ id: GivenId })

export const tag = 'Account openings'
export const path = '/api/banking/account-openings'
/** The opening of the routes' examples. */
export const OPENING = { id: '{coastal_opening}' }

export const look = (call: Call, number: number): Promise<OpeningView> =>
  ask(call, findOpening, { ...kept, number })

/** What was just written by somebody is shown to him, wherever else he may look. */
export const shown = async (call: Call, number: number) =>
  openingShownTo(call)(await look(afterwards(call), number))
