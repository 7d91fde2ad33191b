import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type Bank, BOOK } from './bank.ts'
import { runProgram } from './daybook.ts'

const CLI = 'infra/cli/main.ts'

type TrialBalance = { totals: { asset: string; debit: string; difference: string }[] }

const checkTrialBalance = async (bank: Bank): Promise<boolean> => {
  const { totals } = (await bank.ask(`/v1/books/${BOOK}/trial-balance`)) as TrialBalance
  for (const { asset, debit, difference } of totals) {
    console.log(`trial balance: ${asset} ${debit} debited, difference ${difference}`)
  }
  return totals.length > 0 && totals.every(({ difference }) => difference === '0')
}

export const verifyAll = async (bank: Bank): Promise<boolean> => {
  console.log()
  if (!existsSync(CLI)) return checkTrialBalance(bank)
  const began = performance.now()
  const environment = { ...process.env, DAYBOOK_DATA: bank.daybook.directory }
  const { child, said } = runProgram(CLI, ['verify'], environment)
  await once(child, 'exit')
  console.log(said().trim())
  console.log(`verify took ${((performance.now() - began) / 1000).toFixed(1)} s`)
  return child.exitCode === 0
}
