import { z } from 'zod'
import { Day } from './ledger/events.ts'
import { registry } from './registry.ts'

/** Days on which a calendar's banks do no business. */
export const Holidays = registry({
  singular: 'Holiday',
  plural: 'holidays',
  fields: z.strictObject({
    calendar: z.string().regex(/^[a-z]{2,16}$/, 'a calendar is 2 to 16 lower-case letters'),
    day: Day,
    name: z.string().trim().min(1).max(128),
  }),
  search: ['name'],
  read: 'calendars:read',
  write: 'calendars:manage',
})
