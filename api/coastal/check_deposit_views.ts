import { z } from '@hono/zod-openapi'
import { CheckDepositStatus } from '../../domain/check_deposits.ts'
import type { CheckDepositView } from '../../projections/check_deposits.ts'
import { instant } from '../formats.ts'
import type { Call } from '../route.ts'
import { Cedis, cedis } from './amounts.ts'
import { masks } from './masking.ts'
import { seesPersonal } from './views.ts'

export const Status = CheckDepositStatus

export const CheckDeposit = z
  .object({
    id: z.int(),
    member_id: z.int().nullable(),
    account: z.int().nullable(),
    account_type: z.string().nullable(),
    amount: Cedis,
    bank_name: z.string(),
    check_number: z.string(),
    front_image: z.string(),
    back_image: z.string(),
    status: Status,
    submitted_by: z.int().nullable(),
    reviewed_by: z.int().nullable(),
    reviewed_at: z.string().nullable(),
    settled_by: z.int().nullable(),
    settled_at: z.string().nullable(),
    rejection_reason: z.string(),
    return_reason: z.string(),
    owed_amount: Cedis.nullable(),
    failure_code: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('CoastalCheckDeposit')

/** A check deposit as it is shown to somebody; what was said of it is masked below managers. */
export const checkDepositShownTo = ({ identity }: Call) => {
  const text = seesPersonal(identity) ? (said: string) => said : masks.text
  return (deposit: CheckDepositView): z.infer<typeof CheckDeposit> => ({
    id: deposit.number,
    member_id: deposit.owner_number,
    account: deposit.account_number,
    account_type: deposit.product,
    amount: cedis(deposit.amount),
    bank_name: deposit.bank_name,
    check_number: deposit.check_number,
    front_image: `/api/check-deposits/${deposit.number}/front-image/`,
    back_image: `/api/check-deposits/${deposit.number}/back-image/`,
    status: deposit.status,
    submitted_by: deposit.submitted_by_number,
    reviewed_by: deposit.decided_by_number,
    reviewed_at: deposit.decided_at && instant(deposit.decided_at),
    settled_by: deposit.settled_by_number,
    settled_at: deposit.settled_at && instant(deposit.settled_at),
    rejection_reason: deposit.status === 'rejected' ? text(deposit.reason ?? '') : '',
    return_reason: deposit.status === 'returned' ? text(deposit.reason ?? '') : '',
    owed_amount: deposit.owed && cedis(deposit.owed),
    failure_code: deposit.failure,
    created_at: instant(deposit.submitted_at),
    updated_at: instant(deposit.changed_at),
  })
}
