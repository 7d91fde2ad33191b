/** Measures the models: how well they rank real rows, and how fast they are, beside the aims. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.ts'
import type { Figure } from './aims.ts'
import { format, isMissed } from './aims.ts'
import { churn } from './churn.ts'
import { dataDirectory, dataFile } from './data.ts'
import { cardFraud } from './fraud.ts'
import { speed } from './speed.ts'

type Section = {
  readonly name: string
  readonly title: string
  /** Answers nothing when what it needs is absent, after it has said so. */
  readonly run: () => Promise<readonly Figure[] | undefined>
}

const REFERENCE = `Reference results (scikit-learn and XGBoost, from the notes beside the data)
  set, features                        logistic            boosted trees
  churn, the seven                     AUC .744, AP .437   AUC .848, AP .676, F1 .597
  churn, all eleven                    AUC .765            AUC .867, AP .706
  card fraud, 15 velocity features     AUC .871, AP .606   AUC .878, AP .645
  card fraud, 24 features                                  AUC .887, AP .69`

const skip = (file: string): undefined => {
  console.log(`  skipped: there is no ${file} in ${dataDirectory()} (DAYBOOK_BENCH_DATA)`)
}

const runChurn = async () => {
  const path = dataFile('churn.csv.gz')
  return path === undefined ? skip('churn.csv.gz') : churn(path)
}

const runFraud = async () => {
  if (dataFile('card-fraud.csv.gz') === undefined) return skip('card-fraud.csv.gz')
  return (await cardFraud()).figures
}

const sections: readonly Section[] = [
  { name: 'speed', title: 'Speed, made-up rows', run: speed },
  { name: 'churn', title: 'Churn, seven features, mean of 3 x 5-fold', run: runChurn },
  { name: 'fraud', title: "Card fraud, the handbook's protocol", run: runFraud },
]

const USAGE = `npm run bench:ml -- [--only <name>]
  --only   one of: ${sections.map(({ name }) => name).join(', ')}`

const printMachine = (): void => {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  try {
    console.log(`${describeMachine(directory).join('\n')}\n`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const runSection = async ({ title, run }: Section): Promise<boolean> => {
  console.log(title)
  const began = performance.now()
  const figures = await run()
  for (const figure of figures ?? []) console.log(format(figure))
  console.log(`  took ${((performance.now() - began) / 1_000).toFixed(1)} s\n`)
  return !figures?.some(isMissed)
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const selected = sections.filter(({ name }) => name === (values.only ?? name))
  if (selected.length === 0) throw new Error(`Nothing is called ${values.only}.\n\n${USAGE}`)
  printMachine()
  let met = true
  for (const section of selected) met = (await runSection(section)) && met
  console.log(REFERENCE)
  if (!met) process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
