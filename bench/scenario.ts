import type { Bank } from './bank.ts'
import type { Line } from './report.ts'

export type Plan = {
  readonly repetitions: number
  readonly seconds: number
  /** Not counted: caches fill and code gets compiled. */
  readonly warmUpSeconds: number
}

/** A measurement that can be asked for by its name. */
export type Scenario = {
  readonly name: string
  readonly run: (bank: Bank, plan: Plan) => Promise<Line[]>
}
