/** Finding and reading case files. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CONTRACTS, type Contract, parseScenarios, type Scenario } from './scenario.ts'

export type CaseFile = {
  readonly contract: Contract
  readonly file: string
  readonly scenarios: readonly Scenario[]
}

/** How output names a file: `atm/withdraw` of `test/contracts/atm/withdraw.json`. */
export const labelOf = (file: string): string =>
  `${basename(dirname(resolve(file)))}/${basename(file, '.json')}`

const contractOf = (file: string): Contract => {
  const names = [basename(dirname(resolve(file))), basename(file, '.json')]
  const contract = names.flatMap((name) => CONTRACTS.filter((one) => one === name))[0]
  if (contract) return contract
  throw new Error(`neither the file nor its folder is named after one of ${CONTRACTS.join(', ')}`)
}

/** The file itself, or each `.json` in and below the folder, in order. Throws if there is none. */
export const findCaseFiles = (path: string): string[] => {
  if (!statSync(path).isDirectory()) return [path]
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(path, name))
    .sort()
  if (files.length === 0) throw new Error('no case files in this folder')
  return files
}

/** Throws what is wrong with the file, without its name. */
export const readCaseFile = (file: string): CaseFile => {
  const contract = contractOf(file)
  return { contract, file, scenarios: parseScenarios(JSON.parse(readFileSync(file, 'utf8'))) }
}

const readNamed = (file: string): CaseFile => {
  try {
    return readCaseFile(file)
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** All cases of a file or folder. Throws at the first file that does not fit, with its name. */
export const readCases = (path: string): CaseFile[] => findCaseFiles(path).map(readNamed)
