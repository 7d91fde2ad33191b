/** Loads the demo bank through the commands that everybody uses. */
import { issueApiKey } from '../../commands/api_keys.ts'
import { execute, type Ports } from '../../commands/kernel.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { SYSTEM } from '../ports.ts'
import { StartError } from '../start/error.ts'
import { asker } from './ask.ts'
import { demoBank } from './bank.ts'
import { showFeatures } from './features.ts'
import { liveThrough, openBank, registerAll } from './history.ts'
import type { DemoRecord } from './record.ts'

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
  const bank = demoBank(new Date(record.until))
  const ask = asker(ports)
  await Promise.all([openBank(ask, bank, signal), registerAll(ask, bank, record.log_ins)])
  await liveThrough(ask, bank, ports.store, progress, signal)
  await showFeatures(ask, bank)
  return { apiKey: await issueKey(ports) }
}
