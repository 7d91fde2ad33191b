import { Holidays } from '../domain/holidays.ts'
import { registryBook } from './registry.ts'

export const holidayBook = registryBook(Holidays)
