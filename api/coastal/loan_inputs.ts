import { z } from '@hono/zod-openapi'
import { IdType, MOST_GUARANTORS } from '../../domain/loans/application.ts'
import { LoanProduct, MOST_MONTHS } from '../../domain/loans/schedules.ts'
import { LoanStatus } from '../../projections/loans/rows.ts'
import { numberedPaging } from '../numbered_pages.ts'
import { GivenAmount, GivenId, orRequired } from './amounts.ts'

const PAGE_SIZE = 20
const MOST = 100

const MOST_BASIS_POINTS = 10_000
const PERCENT = /^(\d{1,3})(?:\.(\d{1,2}))?$/

/** `12.5` percent as 1250 basis points; undefined when it is none. */
const basisPointsOf = (value: number | string): number | undefined => {
  const [, whole, decimals = ''] = PERCENT.exec(String(value).trim()) ?? []
  return whole === undefined ? undefined : Number(whole) * 100 + Number(decimals.padEnd(2, '0'))
}

/** Percent a year, from 0 to 100, with two decimals at most, as basis points. */
const GivenRate = z
  .union([z.number(), z.string().max(64)], { error: orRequired('A valid number is required.') })
  .transform((value, context) => {
    const basisPoints = basisPointsOf(value)
    if (basisPoints !== undefined && basisPoints <= MOST_BASIS_POINTS) return basisPoints
    const message = 'Ensure this value is a percentage from 0 to 100 with at most 2 decimal places.'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .openapi({ example: '12.50' })

const GivenMonths = z
  .union([z.int(), z.string().regex(/^\d{1,6}$/)], {
    error: orRequired('A valid integer is required.'),
  })
  .transform(Number)
  .pipe(
    z
      .int()
      .min(1, 'Ensure this value is greater than or equal to 1.')
      .max(MOST_MONTHS, `Ensure this value is less than or equal to ${MOST_MONTHS}.`),
  )

const orAbsent = <Given>(given: Given | null | undefined): Given | undefined => given ?? undefined

const text = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .nullish()
    .transform((given) => given || undefined)

const GivenSupporter = z.object({
  name: z.string().trim().min(1).max(128),
  ...{ phone: text(32), relationship: text(64), address: text(256), id_number: text(64) },
})

/** What a borrower may say of himself; all of it may be left out. */
const GivenApplication = z.object({
  purpose: text(512),
  id_type: IdType.nullish().transform(orAbsent),
  id_number: text(64),
  date_of_birth: z.iso
    .date('Date has wrong format. Use one of these formats instead: YYYY-MM-DD.')
    .nullish()
    .transform(orAbsent),
  next_of_kin: GivenSupporter.nullish().transform(orAbsent),
  guarantors: z.array(GivenSupporter).max(MOST_GUARANTORS).default([]),
  monthly_income: GivenAmount.optional(),
  employment_status: text(64),
  employer: text(128),
  occupation: text(128),
})

export const ById = z.object({ id: GivenId })

export const Filing = GivenApplication.extend({
  /** Absent: whoever files it. */
  user: GivenId.nullish(),
  loan_type: LoanProduct.default('simple'),
  amount: GivenAmount,
  interest_rate: GivenRate,
  term_months: GivenMonths,
})

export const Rejection = ById.extend({ reason: z.string().trim().max(256).default('') })

export const Repayment = ById.extend({
  amount: GivenAmount,
  /** Absent: the one that the loan was paid out to. */
  account: GivenId.nullish(),
})

export const WriteOff = ById.extend({ reason: z.string().trim().min(1).max(256) })

export const Listing = z.object({
  status: LoanStatus.optional(),
  user: GivenId.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})
