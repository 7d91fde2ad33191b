/** Loads the demo bank through the commands that everybody uses. */
import { issueApiKey } from '../../commands/api_keys.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { asker, SeedRefused } from '../seed/ask.ts'
import { seedMachine } from '../seed/machine.ts'
import { StartError } from '../start/error.ts'
import { SYSTEM } from '../system.ts'
import { demoBank } from './bank.ts'
import { showFeatures } from './features.ts'
import { liveThrough, openBank, registerAll } from './history.ts'
import { demoMachine } from './machine.ts'
import { type DemoRecord, passwordOf } from './record.ts'
import { openSavingsBank } from './savings.ts'

/** Not remembered under an idempotency key, because the token is in the first answer only. */
const issueKey = async (ports: Ports): Promise<string> => {
  const context = { actor: SYSTEM, at: ports.clock(), correlation: 'demo-api-key' }
  const input = issueApiKey.input.parse({ name: 'Demo bank', roles: ['manager'] })
  const outcome = await execute(ports, issueApiKey, input, context)
  if (isRefusal(outcome)) throw new StartError(`The demo bank has no API key: ${outcome.detail}`)
  const { token } = outcome.answer
  if (token === null) throw new Error('an API key that was just issued has no token')
  return token
}

/**
 * Loads the bank, or what is still missing of it, and issues an API key to try it with. Throws
 * StartError when something is refused, and the signal's reason when aborted.
 */
export const loadDemo = async (
  ports: Ports,
  record: DemoRecord,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<{ readonly apiKey: string }> => {
  const until = new Date(record.until)
  const bank = demoBank(until)
  const ask = asker(ports, 'demo')
  try {
    await Promise.all([openBank(ask, bank, signal), registerAll(ask, bank, record.log_ins)])
    await liveThrough(ask, bank, ports.store, progress, signal)
    await showFeatures(ask, bank)
    await seedMachine({ ports, ask, at: bank.from, repeatable: true }, demoMachine)
    await openSavingsBank(ask, passwordOf(record), bank.from)
  } catch (error) {
    if (!(error instanceof SeedRefused)) throw error
    throw new StartError(`The demo bank cannot be loaded, at ${error.message}`, error)
  }
  return { apiKey: await issueKey(ports) }
}
