import { z } from 'zod'
import { Day } from '../ledger/events.ts'
import { Amount } from '../money.ts'

const text = (most: number) => z.string().trim().min(1).max(most)

/** Somebody who stands by the borrower: his kin, or who vouches for him. */
const Supporter = z.strictObject({
  name: text(128),
  phone: text(32).optional(),
  relationship: text(64).optional(),
  address: text(256).optional(),
  id_number: text(64).optional(),
})

export const IdType = z.enum([
  ...['ghana_card', 'voter_id', 'passport', 'drivers_license', 'nhis_card', 'other'],
] as const)

export const MOST_GUARANTORS = 5

/** What a borrower says of himself. All of it is personal, and only ever kept sealed. */
export const LoanApplication = z.strictObject({
  purpose: text(512).optional(),
  id_type: IdType.optional(),
  id_number: text(64).optional(),
  date_of_birth: Day.optional(),
  next_of_kin: Supporter.optional(),
  guarantors: z.array(Supporter).max(MOST_GUARANTORS).default([]),
  /** Minor units. */
  monthly_income: Amount.optional(),
  employment_status: text(64).optional(),
  employer: text(128).optional(),
  occupation: text(128).optional(),
})
export type LoanApplication = z.infer<typeof LoanApplication>
