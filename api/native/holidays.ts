import { Holidays } from '../../domain/holidays.ts'
import { holidayBook } from '../../projections/holidays.ts'
import { registryRoutes } from '../registry.ts'

export const holidayRoutes = registryRoutes(Holidays, holidayBook, {
  calendar: 'us',
  day: '2026-12-25',
  name: 'Christmas Day',
})
