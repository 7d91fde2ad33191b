import { existsSync } from 'node:fs'
import { join } from 'node:path'

const BESIDE_THE_REPOSITORY = join(import.meta.dirname, '../../../shared/data')

/** Where the real data lies; `DAYBOOK_BENCH_DATA` names another folder. */
export const dataDirectory = (): string => process.env.DAYBOOK_BENCH_DATA ?? BESIDE_THE_REPOSITORY

/** The path of a file of real data; undefined when it is not there. */
export const dataFile = (name: string): string | undefined => {
  const path = join(dataDirectory(), name)
  return existsSync(path) ? path : undefined
}
