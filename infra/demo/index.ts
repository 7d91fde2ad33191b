/** The demo bank: loaded when Daybook starts on an empty log for the first time. */
import type { Ports } from '../../commands/ports.ts'
import { demoBank, makeLogIns } from './bank.ts'
import { loadDemo } from './load.ts'
import { type DemoRecord, readRecord, writeRecord } from './record.ts'

export type { DemoRecord } from './record.ts'
export { welcome } from './welcome.ts'

export type DemoSettings = {
  /** The data directory, where the record is kept. */
  readonly directory: string
  readonly administrator: string | undefined
  readonly progress: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Loads the demo bank into an empty log, or goes on where that was interrupted. Answers what is
 * known of it; undefined when this log never had one.
 */
export const provideDemo = async (
  ports: Ports,
  settings: DemoSettings,
): Promise<DemoRecord | undefined> => {
  const { directory, administrator, progress, signal } = settings
  const isEmpty = (await ports.store.head()) === undefined
  const known = isEmpty ? undefined : readRecord(directory)
  if (!isEmpty && (known === undefined || known.complete)) return known
  const record = known ?? newRecord(ports.clock(), administrator)
  // Written before anything is loaded: the passwords and the time are the same ever after.
  writeRecord(directory, record)
  const { apiKey } = await loadDemo(ports, record, progress, signal)
  const complete = { ...record, complete: true, api_key: apiKey }
  writeRecord(directory, complete)
  return complete
}

/** With an administrator of its own, a Daybook gets no second one with a printed password. */
const newRecord = (until: Date, administrator: string | undefined): DemoRecord => ({
  until: until.toISOString(),
  complete: false,
  log_ins: makeLogIns(demoBank(until), administrator === undefined ? [] : ['admin', administrator]),
  api_key: null,
})
