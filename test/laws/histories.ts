/** Histories: what a few hundred generated requests have brought about, and what was seen of them. */
import { isDeepStrictEqual } from 'node:util'
import fc, { type GeneratorValue } from 'fast-check'
import type { Engine } from '../../commands/engine.ts'
import { type Context, execute } from '../../commands/kernel.ts'
import type { Actor } from '../../commands/ports.ts'
import { uuidv5 } from '../../domain/ids.ts'
import { eventSchemas, modules } from '../../domain/index.ts'
import { type Decider, isRefusal } from '../../domain/kernel.ts'
import type { Recorded } from '../../domain/log.ts'
import { createMemoryPorts, type MemoryPorts } from '../support/memory.ts'
import { arbitraryOf } from './arbitraries.ts'
import type { AnyCommand } from './catalogue.ts'
import { dump } from './dump.ts'
import { loanHints } from './loans.ts'
import { openingHints } from './openings.ts'
import { opening, shapes, weights } from './shapes.ts'
import { createWorld, hintsOf, type World } from './world.ts'

export type Law = 'deterministic' | 'leaves the state alone' | 'snapshot' | 'schema'
export type Fault = { readonly law: Law; readonly what: string }

export type History = {
  readonly seed: number
  readonly log: readonly Recorded[]
  readonly faults: readonly Fault[]
  /** What the requests came to: `posted`, or the code of a refusal, and how often. */
  readonly outcomes: ReadonlyMap<string, number>
}

const START = new Date('2026-02-20T08:00:00.000Z')
const TRIES = 8
/** When there are entries enough for what is observed to be about some of them. */
const OBSERVED_AFTER = 250

/** An engine which asks twice, and looks whether the question changed anything. */
const watching =
  (faults: Fault[]) =>
  (engine: Engine): Engine => ({
    ...engine,
    submit: (decider, stream, attempt) =>
      engine.submit(decider, stream, {
        ...attempt,
        decide: (state) => {
          const before = dump(state)
          const decision = attempt.decide(state)
          const note = (law: Law) =>
            faults.push({ law, what: `${attempt.metadata.causation} on ${stream}` })
          if (!isDeepStrictEqual(attempt.decide(state), decision)) note('deterministic')
          if (dump(state) !== before) note('leaves the state alone')
          const loaded = reloaded(decider, state)
          if (!isDeepStrictEqual(attempt.decide(loaded), decision)) note('snapshot')
          if (!isRefusal(decision)) {
            for (const { type, data } of decision) {
              const parsed = decider.schemas[type]?.safeParse(data)
              if (!parsed?.success) note('schema')
            }
          }
          return decision
        },
      }),
  })

/** The state as it comes back from a snapshot; the state itself where none is kept. */
export const reloaded = ({ snapshot }: Decider, state: unknown): unknown =>
  snapshot ? snapshot.load(JSON.parse(JSON.stringify(snapshot.save(state)))) : state

type Drawn = { readonly command: AnyCommand; readonly input: object; readonly context: Context }

const drawInput = (g: GeneratorValue, command: AnyCommand, world: World): object | undefined => {
  const plain = arbitraryOf(command.input, hintsOf(world))
  for (let tries = 0; tries < TRIES; tries += 1) {
    const drawn = g(() => plain) as object
    const shape = shapes[command.name]
    const shaped = shape ? g(() => shape(world, drawn as Record<string, unknown>)) : drawn
    const parsed = command.input.safeParse(JSON.parse(JSON.stringify(shaped)))
    if (parsed.success) return parsed.data as object
  }
  return undefined
}

/** Fast-check likes small numbers; here all are alike. */
const roll = (g: GeneratorValue, sides: number): number =>
  g(() => fc.noBias(fc.integer({ min: 0, max: sides - 1 })))

/** What is one's own is asked for by its owner, most else by an administrator. */
const drawActor = (
  g: GeneratorValue,
  { permission }: AnyCommand,
  world: World,
  rolled: number,
): Actor => {
  const { user: users = [], person: people = [] } = Object.fromEntries(world.known)
  // A decision takes a person, and often a second one.
  const decided = [
    'payments:approve',
    'tills:approve',
    'loans:approve',
    'loans:write_off',
    'advances:decide',
    'checks:process',
    'openings:decide',
    'closures:manage',
  ]
  const decides = permission.startsWith('risk:') || decided.includes(permission)
  if (people.length > 0 && decides) {
    return { id: g(() => fc.constantFrom(...people)), roles: ['admin'] }
  }
  if (people.length > 0 && permission === 'messages:use') {
    return { id: g(() => fc.constantFrom(...people)), roles: ['customer'] }
  }
  const [earner] = world.known.get('earner') ?? []
  if (earner !== undefined && permission === 'payments:counter') {
    return { id: earner.split(' ')[0] ?? '', roles: ['admin', 'mobile_banker'] }
  }
  const wanted = users.length > 0 && (permission === 'self:read' || rolled < 6)
  return wanted
    ? { id: g(() => fc.constantFrom(...users)), roles: ['customer'] }
    : { id: 'root', roles: ['admin'] }
}

const drawContext = (
  g: GeneratorValue,
  command: AnyCommand,
  world: World,
  begun: boolean,
): Context => {
  const rolled = begun ? roll(g, 100) : 50
  return {
    actor: drawActor(g, command, world, rolled),
    at: world.now,
    correlation: `request-${rolled}`,
    ...(rolled % 2 === 0 && { key: `key-${roll(g, 1e6)}` }),
    ...(rolled >= 95 && { dryRun: true }),
    ...(rolled >= 92 && rolled < 95 && { ifMatch: roll(g, 10) }),
  }
}

const run = (ports: MemoryPorts, { command, input, context }: Drawn) =>
  command.permission === 'public'
    ? (command as Extract<AnyCommand, { permission: 'public' }>).run(ports, input, context)
    : execute(ports, command as Exclude<AnyCommand, { permission: 'public' }>, input, context)

const drawMoment = (g: GeneratorValue, { now }: World): Date =>
  new Date(now.getTime() + g(() => fc.constantFrom(0, 1, 1000, 60_000, 36e5, 36e5, 86_400_000)))

/** The same, with the asset that the account has. */
const coherent = ({ assetOf }: World, data: object): object => {
  const asset = 'account' in data ? assetOf.get(String(data.account)) : undefined
  return asset === undefined ? data : { ...data, asset }
}

/** As `shapes.ts` reads it. */
const placeOf = ({ data }: { readonly data: object }): string => {
  const { book, entry } = data as { book: string; entry: string }
  return `${book} ${entry}`
}

/** Events that no command brings about: drawn from their schemas. */
const addObservations = async (g: GeneratorValue, { store }: MemoryPorts, world: World) => {
  const decided = new Set(modules.flatMap(({ schemas }) => Object.keys(schemas)))
  for (const [type, schema] of Object.entries(eventSchemas)) {
    if (decided.has(type)) continue
    // Other things are called accounts too, and are none.
    const passing = arbitraryOf(schema, hintsOf(world)).filter(
      (data) => schema.safeParse(data).success,
    )
    const drawn = g(() => fc.array(passing, { minLength: 8, maxLength: 8 }))
    const events = drawn.map((data, index) => ({
      id: uuidv5(`${type} ${index}`),
      type,
      data: coherent(world, schema.parse(data)),
      metadata: { command: 'drawn' },
    }))
    await store.append(`drawn-${type}`, -1, events)
    if (type === 'TransactionScored') world.learn({ scored: events.map(placeOf) })
  }
}

type Registered = { readonly user: string; readonly roles: readonly string[] }

/** Users by what they can be in what follows. */
const personOf = ({ user, roles }: Registered) => ({
  person: user,
  ...(roles.includes('customer') && { client: user }),
  ...(roles.includes('mobile_banker') && { banker: user }),
})

/** The same seed and commands give the same history. */
export const createHistory = async (
  seed: number,
  requests: number,
  commands: readonly AnyCommand[],
): Promise<History> => {
  const [g] = fc.sample(fc.gen(), { seed, numRuns: 1 }) as [GeneratorValue]
  const world = createWorld(START)
  const faults: Fault[] = []
  const outcomes = new Map<string, number>()
  const ports = createMemoryPorts(() => world.now, watching(faults))
  const weighted = commands.flatMap((command) =>
    Array.from({ length: weights[command.name] ?? 1 }, () => command),
  )
  let last: Drawn | undefined
  let learnt = 0
  for (let count = 0; count < requests; count += 1) {
    if (count === OBSERVED_AFTER) await addObservations(g, ports, world)
    world.now = drawMoment(g, world)
    const first = commands.find(({ name }) => name === opening[count])
    const command = first ?? g(() => fc.constantFrom(...weighted))
    const again = last?.context.key !== undefined && roll(g, 12) === 0
    const input = drawInput(g, command, world)
    if (!input) continue
    const drawn =
      again && last ? last : { command, input, context: drawContext(g, command, world, !first) }
    const outcome = await run(ports, drawn)
    const came = isRefusal(outcome) ? outcome.refused : `${drawn.command.name} done`
    outcomes.set(came, (outcomes.get(came) ?? 0) + 1)
    if (!isRefusal(outcome)) world.learn(outcome.answer)
    for (const { type, data } of ports.store.log.slice(learnt)) {
      world.learn(data)
      world.learn(openingHints(type, data))
      world.learn(loanHints(type, data))
      // `user` is what owners are called too.
      if (type === 'UserRegistered') world.learn(personOf(data as Registered))
      const { payment, refund, to } = data as { payment?: string; refund?: string; to?: unknown }
      if (type === 'PaymentRequested' && to !== null) world.learn({ received: payment })
      if (type === 'PaymentCompleted') world.learn({ completed: payment })
      const { collector, owner, account } = data as Record<string, string | undefined>
      if (collector !== undefined) world.learn({ collected: payment })
      // Somebody with an account of his own, to which he can be paid.
      if (type === 'AccountOpened' && owner) world.learn({ earner: `${owner} ${account}` })
      if (type === 'RefundRequested') world.learn({ refunded: `${payment} ${refund}` })
    }
    learnt = ports.store.log.length
    last = drawn
  }
  return { seed, log: ports.store.log, faults, outcomes }
}
