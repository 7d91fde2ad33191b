/** What the tests of cases and labels share: scored payments and people who look at them. */
import { openAccount, openBook, postTransfer } from '../commands/ledger/index.ts'
import type { Actor } from '../commands/ports.ts'
import { registerUser } from '../commands/users.ts'
import type { Role } from '../domain/permissions.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { answerOf, askOn, type Branch, NOON } from './machine-support.ts'
import { createMemoryPorts, type MemoryPorts } from './support/memory.ts'

const book = 'main'
const PASSWORD = 'a long enough password'

/** Three of them: 1,000.00 exactly, a cent more, and one that nobody scored. */
export type Desk = {
  readonly ports: MemoryPorts
  readonly ask: Branch['ask']
  readonly small: string
  readonly large: string
  readonly unscored: string
  /** A user with this role, who has registered. */
  person(name: string, role?: Role): Promise<{ readonly actor: Actor }>
  /** Data of the events of a stream, oldest first. */
  events(stream: string): readonly { readonly type: string; readonly data: object }[]
}

const scoreOf = (entry: string, amount: string, revision: number): TransactionScored => ({
  ...{ book, entry, revision, amount, asset: 'USD/2', kind: 'transfer' },
  ...{ account: 'customers:ada', counterparty: 'customers:bob', booked_at: NOON },
  ...{ model: 'test-1', features: { amount: 1 }, probability: 0.75, decision: 'review' as const },
  ...{ reasons: [], scored_at: NOON },
})

const account = (code: string) => ({
  ...{ book, account: code, type: 'liability' as const, asset: 'USD/2', name: code },
  overdraft_limit: 'unlimited' as const,
})

export const openDesk = async (): Promise<Desk> => {
  const ports = createMemoryPorts(() => new Date(NOON))
  const ask = askOn(ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: ['USD/2'] }))
  for (const code of ['customers:ada', 'customers:bob']) {
    answerOf(await ask(openAccount, account(code)))
  }
  const pay = async (amount: string, metadata: Record<string, string> = {}): Promise<string> => {
    const transfer = { book, from: 'customers:ada', to: 'customers:bob', amount, metadata }
    return answerOf(await ask(postTransfer, transfer)).id
  }
  const small = await pay('100000', { machine: '7', device: 'phone' })
  const large = await pay('100001')
  const scores = [scoreOf(small, '100000', 3), scoreOf(large, '100001', 4)]
  const events = scores.map((data) => ({
    ...{ id: data.entry, type: 'TransactionScored', data, metadata: {} },
  }))
  await ports.store.append(`scores-${book}`, -1, events)
  return {
    ...{ ports, ask, small, large, unscored: await pay('5') },
    person: async (name, role = 'analyst') => {
      const user = { user: name, username: name, password: PASSWORD, name, roles: [role] }
      answerOf(await ask(registerUser, user as never))
      return { actor: { id: name, roles: [role] } }
    },
    events: (stream) =>
      ports.store.log.flatMap((event) =>
        event.stream === stream ? [{ type: event.type, data: event.data as object }] : [],
      ),
  }
}
