/** Plays a folder of cases as tests, one for each scenario, with the audit behind every one. */
import { expect, test } from 'vitest'
import { useAudit } from '../support/audit.ts'
import { useDaybook } from '../support/stack.ts'
import { playScenario } from './runner/play.ts'
import { readCases } from './runner/read.ts'

/** Declares the tests: to be called once, at the top of a test file. */
export const playAll = (folder: string): void => {
  const daybook = useDaybook({ DAYBOOK_TEST: '1' })
  const differences = useAudit(daybook)

  const cases = readCases(folder).flatMap(({ file, contract, scenarios }) =>
    scenarios.map((scenario) => [`${file}: ${scenario.name}`, contract, scenario] as const),
  )
  test.each(cases)('%s', async (_name, contract, scenario) => {
    expect(await playScenario(daybook.url, contract, scenario)).toBeUndefined()
    expect(await differences()).toMatchObject({ total: 0 })
  })
}
