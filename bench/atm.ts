import { type Bank, createRandom } from './bank.ts'
import { type CardHolder, provideCardHolders } from './card_holders.ts'
import { type Connection, openConnection, type Request, type Response } from './connection.ts'
import { expectStatus, type Repetition, UnexpectedAnswer } from './load.ts'
import { watchEffort } from './machine.ts'
import { type Line, repeat } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'

const HOLDERS = 64
const LOG_IN_CONNECTIONS = 8
/** A card may log in five times in a quarter of an hour, so log-ins have cards of their own. */
const LOG_IN_DECKS = 2

const kinds = ['balance', 'withdraw', 'deposit', 'transfer'] as const
type Kind = (typeof kinds)[number]

/** Somebody at a machine: a connection whose every request belongs to his session. */
type Visitor = { readonly holder: CardHolder; readonly connection: Connection }

type Done = { readonly kind: Kind; readonly latency_ms: number }
/** What one repetition came to. `refused`: every answer but the expected one. */
type Visit = { readonly done: readonly Done[]; readonly refused: readonly Response[] }

const random = createRandom(64)
let keys = 0

const post = (path: string, body: object): Request => ({
  method: 'POST',
  path: `/api/v1/${path}`,
  body: JSON.stringify(body),
})

/** With a key of its own, as a careful machine sends it. */
const move = (kind: Kind, body: object): Request => {
  keys += 1
  return { ...post(`transactions/${kind}`, body), headers: { 'Idempotency-Key': `atm-${keys}` } }
}

/** Half of all that is asked for only looks. */
const chooseKind = (): Kind => {
  const chance = random(100)
  if (chance < 50) return 'balance'
  if (chance < 70) return 'withdraw'
  return chance < 85 ? 'deposit' : 'transfer'
}

const otherThan = ({ account_number }: CardHolder, holders: readonly CardHolder[]): string => {
  let chosen = account_number
  while (chosen === account_number) {
    chosen = holders[random(holders.length)]?.account_number ?? chosen
  }
  return chosen
}

const requestFor = (kind: Kind, holder: CardHolder, all: readonly CardHolder[]): Request => {
  switch (kind) {
    case 'balance':
      return { method: 'GET', path: `/api/v1/accounts/${holder.id}/balance` }
    case 'withdraw':
      return move(kind, { amount_cents: 2000 })
    case 'deposit':
      return move(kind, { amount_cents: 10_000, deposit_type: 'cash' })
    case 'transfer': {
      const amount_cents = 100 + random(901)
      return move(kind, { destination_account_number: otherThan(holder, all), amount_cents })
    }
  }
}

const logInWith = ({ card_number, pin }: CardHolder): Request =>
  post('auth/login', { card_number, pin })

const welcome = async ({ daybook }: Bank, holder: CardHolder): Promise<Visitor> => {
  const door = await openConnection(daybook.url, {})
  const { body } = expectStatus(await door.send(logInWith(holder)), 200)
  door.close()
  const { session_id } = JSON.parse(body) as { session_id: string }
  return { holder, connection: await openConnection(daybook.url, { 'X-Session-ID': session_id }) }
}

/** Everybody asks for the next thing when the last one is answered, for so long. */
const visit = async (visitors: readonly Visitor[], seconds: number): Promise<Visit> => {
  const holders = visitors.map(({ holder }) => holder)
  const done: Done[] = []
  const refused: Response[] = []
  const until = performance.now() + seconds * 1000
  const stay = async ({ holder, connection }: Visitor): Promise<void> => {
    let sent = performance.now()
    while (sent < until) {
      const kind = chooseKind()
      const answer = await connection.send(requestFor(kind, holder, holders))
      const now = performance.now()
      if (answer.status !== (kind === 'balance' ? 200 : 201)) refused.push(answer)
      else if (now <= until) done.push({ kind, latency_ms: now - sent })
      sent = now
    }
  }
  await Promise.all(visitors.map(stay))
  return { done, refused }
}

/** In per cent. */
const errorShare = ({ done, refused }: Visit): number =>
  (100 * refused.length) / Math.max(1, done.length + refused.length)

const refuseErrors = (visited: Visit): Visit => {
  const [first] = visited.refused
  if (!first) return visited
  const share = `${visited.refused.length} answers (${errorShare(visited).toFixed(2)} %)`
  throw new UnexpectedAnswer(`${share} were errors, the first: ${first.status} ${first.body}`)
}

const describe = (visits: readonly Visit[], seconds: number): Omit<Line, 'effort'>[] => {
  const lineOf = (name: string, wanted: readonly Kind[]): Omit<Line, 'effort'> => {
    const chosen = visits.map(({ done }) => done.filter(({ kind }) => wanted.includes(kind)))
    return {
      name,
      unit: 'requests/s',
      values: chosen.map((done) => done.length / seconds),
      latencies_ms: chosen.flat().map(({ latency_ms }) => latency_ms),
    }
  }
  const errors = { name: '  errors', unit: '%', values: visits.map(errorShare), latencies_ms: [] }
  return [
    lineOf(`cash machine, ${HOLDERS} connections`, kinds),
    ...kinds.map((kind) => lineOf(`  ${kind}`, [kind])),
    errors,
  ]
}

const atMachine = async (bank: Bank, plan: Plan): Promise<Line[]> => {
  const [holders = []] = await provideCardHolders(bank, HOLDERS, 1 + LOG_IN_DECKS)
  await bank.settle()
  const visitors = await Promise.all(holders.map((holder) => welcome(bank, holder)))
  try {
    refuseErrors(await visit(visitors, plan.warmUpSeconds))
    const effortOf = watchEffort()
    const visits: Visit[] = []
    for (let turn = 0; turn < plan.repetitions; turn += 1) {
      visits.push(refuseErrors(await visit(visitors, plan.seconds)))
    }
    const effort = effortOf()
    return describe(visits, plan.seconds).map((line) => ({ ...line, effort }))
  } finally {
    for (const { connection } of visitors) connection.close()
  }
}

/** Every card once. */
const logInAll = async (
  connections: readonly Connection[],
  cards: readonly CardHolder[],
): Promise<Repetition> => {
  const left = [...cards]
  const latencies_ms: number[] = []
  const began = performance.now()
  const drive = async (connection: Connection): Promise<void> => {
    for (let card = left.pop(); card; card = left.pop()) {
      const sent = performance.now()
      expectStatus(await connection.send(logInWith(card)), 200)
      latencies_ms.push(performance.now() - sent)
    }
  }
  await Promise.all(connections.map(drive))
  return { done: cards.length, seconds: (performance.now() - began) / 1000, latencies_ms }
}

const logIns = async (bank: Bank, { repetitions }: Plan): Promise<Line[]> => {
  const [, ...decks] = await provideCardHolders(bank, HOLDERS, 1 + LOG_IN_DECKS)
  const cards = decks.flat()
  await bank.settle()
  const opening = Array.from({ length: LOG_IN_CONNECTIONS }, () =>
    openConnection(bank.daybook.url, {}),
  )
  const connections = await Promise.all(opening)
  const once = (): Promise<Repetition> => logInAll(connections, cards)
  try {
    await once()
    const name = `log-ins by card, ${LOG_IN_CONNECTIONS} connections`
    return [await repeat(repetitions, { name, unit: 'log-ins/s' }, once)]
  } finally {
    for (const connection of connections) connection.close()
  }
}

export const machine: readonly Scenario[] = [
  { name: 'atm', run: atMachine },
  { name: 'log-ins', run: logIns },
]
