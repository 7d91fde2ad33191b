import type { z } from 'zod'
import type { ledgerEvents } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { ClosePeriod } from './inputs.ts'
import { bookCommand, dataOf } from './kernel.ts'

export const closePeriod = bookCommand({
  name: 'periods.close',
  permission: 'periods:close',
  input: ClosePeriod,
  enrich: ({ through }, { at }) => ({ through, at }),
  decide: Ledger.decide.closePeriod,
  answer: (events) => dataOf<z.infer<typeof ledgerEvents.PeriodClosed>>(events, 'PeriodClosed'),
})
