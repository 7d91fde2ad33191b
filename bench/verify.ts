import { once } from 'node:events'
import type { Bank } from './bank.ts'
import { runProgram } from './daybook.ts'

const CLI = 'infra/cli/main.ts'

/** Runs `verify` beside the running Daybook and prints what it found; true when nothing differs. */
export const verifyAll = async (bank: Bank): Promise<boolean> => {
  console.log()
  const began = performance.now()
  const environment = { ...process.env, DAYBOOK_DATA: bank.daybook.directory }
  const { child, said } = runProgram(CLI, ['verify'], environment)
  await once(child, 'exit')
  console.log(said().trim())
  console.log(`verify took ${((performance.now() - began) / 1000).toFixed(1)} s`)
  return child.exitCode === 0
}
