import { z } from 'zod'
import { parseRate, type Rate } from '../../api/throttle.ts'
import type { Ports } from '../../commands/ports.ts'
import { asker } from '../seed/ask.ts'
import { ChurnSeed, seedChurn } from '../seed/churn.ts'
import { CoastalSeed, seedCoastal } from '../seed/coastal.ts'
import { MachineSeed, type Refs, seedMachine } from '../seed/machine.ts'

/** What is given lies in the past, so that a test's clock may be set to any time after. */
const SEEDED_AT = new Date('2020-01-01T00:00:00.000Z')

const Rates = z.record(
  z.string(),
  z.string().refine((text) => parseRate(text) !== undefined, 'a rate looks like 5/15min'),
)

/** What every contract's `given` may hold. Notes are for people. */
const shared = { notes: z.array(z.string()).optional(), throttles: Rates.optional() }

type Load = (ports: Ports, given: object) => Promise<Refs>

type Givable = { readonly schema: z.ZodType<object>; readonly load: Load }

/** How each contract's state is brought about. */
const givables: Readonly<Record<string, Givable>> = {
  atm: {
    schema: MachineSeed.extend(shared),
    load: (ports, given) =>
      seedMachine(
        { ports, ask: asker(ports, 'given'), at: SEEDED_AT, repeatable: false },
        given as MachineSeed,
      ),
  },
  churn: {
    schema: ChurnSeed.extend(shared),
    // Now, because alerts are listed by the day on which they were raised.
    load: (ports, given) =>
      seedChurn({ ask: asker(ports, 'given'), at: ports.clock() }, given as ChurnSeed),
  },
  coastal: {
    schema: CoastalSeed.extend(shared),
    load: (ports, given) =>
      seedCoastal({ ports, ask: asker(ports, 'given'), at: SEEDED_AT }, given as CoastalSeed),
  },
}

/** The names by which a test will find what it gave, however deep they lie. */
const refsIn = (given: unknown): string[] => {
  if (typeof given !== 'object' || given === null) return []
  const { ref } = given as { ref?: unknown }
  return [...(typeof ref === 'string' ? [ref] : []), ...Object.values(given).flatMap(refsIn)]
}

const haveOwnRefs = (given: unknown): boolean => {
  const refs = refsIn(given)
  return new Set(refs).size === refs.length
}

const Body = z.strictObject({
  contract: z.enum(Object.keys(givables)),
  given: z
    .record(z.string(), z.unknown())
    .refine(haveOwnRefs, 'the same ref was given to two')
    .default({}),
})

export type Given = {
  readonly load: (ports: Ports) => Promise<Refs>
  readonly rates: ReadonlyMap<string, Rate> | undefined
}

/** Throws ZodError, which names what is unknown or does not fit. */
export const parseGiven = (body: unknown): Given => {
  const { contract, given } = Body.parse(body)
  const { schema, load } = givables[contract] as Givable
  const parsed = schema.parse(given) as { throttles?: Record<string, string> }
  const rates = Object.entries(parsed.throttles ?? {}).flatMap(([scope, text]) => {
    const rate = parseRate(text)
    return rate ? [[scope, rate] as const] : []
  })
  return {
    load: (ports) => load(ports, parsed),
    rates: parsed.throttles ? new Map(rates) : undefined,
  }
}
