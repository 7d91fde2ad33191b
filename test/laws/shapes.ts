/** What some inputs must look like, beyond their schemas, to be worth deciding on. */
import fc, { type Arbitrary } from 'fast-check'
import { loanShapes, loanWeights } from './loans.ts'
import { openingShapes, openingWeights } from './openings.ts'
import type { World } from './world.ts'

export type Shape = (world: World, input: Readonly<Record<string, unknown>>) => Arbitrary<object>
type Line = { account: string; direction: 'debit' | 'credit'; amount: string }

const codes = fc.constantFrom(
  ...['cash:vault', 'cash:till', 'clearing', 'income:fees', 'expense:interest', 'equity'],
  ...Array.from({ length: 8 }, (_, index) => `customers:${index}:checking`),
)

/** Sessions are of those who registered with this one. */
const password = 'a long enough password'

const amount = fc.integer({ min: 1, max: 2000 })
const someWhere = <Item>(items: readonly Item[], fallback: Item): Arbitrary<Item> =>
  items.length > 0 ? fc.constantFrom(...items) : fc.constant(fallback)

/** Two or three lines between accounts of one asset; seldom out of balance by one. */
const balancedLines = ({ assetOf }: World): Arbitrary<Line[]> =>
  someWhere([...assetOf.values()], 'USD/2').chain((asset) => {
    const alike = [...assetOf].filter(([, of]) => of === asset).map(([code]) => code)
    const account = someWhere(alike, 'nobody')
    return fc
      .tuple(account, account, account, amount, amount, fc.noBias(fc.nat(20)))
      .map(([from, to, fees, first, second, slip]): Line[] => {
        const total = first + second + (slip === 0 ? 1 : 0)
        return [
          { account: from, direction: 'debit', amount: `${total}` },
          { account: to, direction: 'credit', amount: `${first}` },
          { account: fees, direction: 'credit', amount: `${second}` },
        ]
      })
  })

const anEntry = (world: World, entry: object): Arbitrary<object> =>
  balancedLines(world).map((lines) => ({
    ...entry,
    lines,
    ...('holds' in entry && { holds: holdsOn(world, lines) }),
  }))

const holdsOn = ({ now }: World, lines: readonly Line[]): object[] =>
  lines.slice(1, 2).map(({ account, amount }) => ({
    account,
    amount,
    until: new Date(now.getTime() + 36e5).toISOString(),
  }))

/** Between accounts of one asset, as a rule. */
const aTransfer: Shape = ({ assetOf }, input) =>
  someWhere([...assetOf.values()], 'USD/2').chain((asset) => {
    const alike = [...assetOf].filter(([, of]) => of === asset).map(([code]) => code)
    const account = someWhere(alike, 'nobody')
    return fc
      .tuple(account, fc.shuffledSubarray(alike.length > 0 ? alike : ['nobody'], { minLength: 1 }))
      .map(([from, others]) => ({
        ...input,
        from,
        to: others.find((to) => to !== from) ?? 'nobody',
      }))
  })

const withoutConditions =
  (shape: Shape): Shape =>
  (world, input) => {
    const { conditions, ...rest } = input
    // One in three keeps them: together they would refuse nearly everything.
    return fc
      .integer({ min: 0, max: 2 })
      .chain((kept) => shape(world, kept === 0 && conditions ? { ...rest, conditions } : rest))
  }

/** Numbers of customers' accounts, and the codes that follow from them. */
const numbers = fc.constantFrom('1000-0001', '1000-0002', '1000-0003', '1000-0004')
const deposits = numbers.map((number) => `customers:${number}`)

/** Mostly the right one. */
const pins = fc.constantFrom('7856', '7856', '7856', '4826')

/** On a customer's account that there could be. */
const onDeposit: Shape = (_world, input) =>
  fc.tuple(deposits, numbers).map(([account, to_number]) => ({
    ...input,
    account,
    ...('to_number' in input && { to_number }),
  }))

const optional = (side: Arbitrary<string>) => fc.oneof(side, fc.constant(null))

/** Mostly with the sides that its kind has; seldom worth a second person. */
const aPayment: Shape = (_world, { book, kind, description }) =>
  fc
    .record({
      from: kind === 'deposit' ? fc.constant(null) : deposits,
      to: ['deposit', 'transfer'].includes(`${kind}`) ? deposits : optional(deposits),
      amount: fc.constantFrom('100', '700', '700', '500000'),
      propose: fc.boolean(),
    })
    .map((sides) => ({ book, kind, description, ...sides }))

/** Of what is there; seldom of more. */
const betweenDeposits: Shape = ({ now }, { description }) =>
  fc.record({
    ...{ book: fc.constant('main'), from: deposits, to: deposits },
    amount: fc.constantFrom('100', '700', '900000'),
    ...{ description: fc.constant(description), due: fc.constant(now.toISOString().slice(0, 10)) },
  })

const interestTerms: Shape = (_world, { book, rate_bp }) =>
  deposits.map((account) => ({ book, account, rate_bp }))

/** What bears interest since this month began, mostly as it does by its terms. */
const interestDue: Shape = ({ known }, { book }) =>
  fc
    .tuple(deposits, someWhere(known.get('accrues_from') ?? [], '2026-02-01'), amount)
    .map(([account, accrues_from, opening]) => ({
      ...{ book, account },
      balances: {
        ...{ accrues_from, since: accrues_from, opening: `${opening}000`, revision: 1 },
        moved: [{ day: accrues_from, net: '-1', late: false }],
      },
    }))

/** Due today. */
const anOrder: Shape = (world, input) =>
  betweenDeposits(world, input).map((sides) => {
    const { due: starts_on, ...between } = sides as { due: string }
    return { ...input, ...between, starts_on, day_of_month: null, until: null }
  })

const amounts = fc.constantFrom('100', '700', '700')

/** Of a payment that has moved money, as a rule to somebody who may have spent it since. */
const aRefund: Shape = ({ known }, input) => {
  const completed = known.get('completed') ?? []
  const received = completed.filter((payment) => known.get('received')?.includes(payment))
  return fc
    .tuple(someWhere([...completed, ...received, ...received, ...received], 'none'), amounts)
    .map(([payment, amount]) => ({ ...input, payment, amount }))
}

/** To be back in a month, as a rule. */
const anAdvance: Shape = ({ now }, input) =>
  fc.constantFrom(30, 30, 30, -1).map((days) => {
    const repayment_date = new Date(now.getTime() + days * 86_400_000).toISOString().slice(0, 10)
    return { ...input, book: 'main', asset: 'USD/2', reason: 'Change', repayment_date }
  })

const onRefund: Shape = ({ known }, input) =>
  someWhere(known.get('refunded') ?? [], 'none none').map((place) => {
    const [payment, refund] = place.split(' ')
    return { ...input, payment, refund }
  })

/** Mostly the one that another has proposed. */
const verdicts = fc.constantFrom('fraud', 'fraud', 'fraud', 'legitimate')

/** An entry that was scored, where there is one. */
const onScored: Shape = ({ known }, input) =>
  someWhere(known.get('scored') ?? [], 'main none').map((place) => {
    const [book, entry] = place.split(' ')
    return { ...input, book, entry }
  })

/** What a world without secrets keeps sealed. */
const unsealed = (sealed: string): { recipient?: string; secret?: string } =>
  JSON.parse(Buffer.from(sealed, 'base64').toString())

/** Mostly the code that was sent last. */
const aCode: Shape = ({ known }, input) => {
  const { recipient, secret } = unsealed(known.get('sealed')?.at(-1) ?? 'e30=')
  const right = { phone: recipient ?? '1234567890', code: secret ?? '000000' }
  return fc.constantFrom(right, right, { ...input, code: '000000' })
}

/** Among people, as a rule enough of them that whoever asks next is one. */
const withPeople: Shape = ({ known }, input) =>
  fc
    .subarray([...(known.get('person') ?? [])], { minLength: 0 })
    .map((members) => ({ ...input, members }))

const inConversation: Shape = ({ known }, input) =>
  fc
    .tuple(someWhere(known.get('conversation') ?? [], 'none'), fc.integer({ min: 1, max: 9 }))
    .map(([conversation, up_to]) => ({
      ...{ ...input, conversation },
      ...('up_to' in input && { up_to }),
    }))

/** Other things have messages that are texts. */
const onMessage: Shape = ({ known }, input) => {
  const ids = known.get('message')?.filter((text) => /^[0-9A-Z]{26}$/.test(text)) ?? []
  return someWhere(ids, 'none').map((message) => ({ ...input, message }))
}

/** Of a banker, as a rule one who is none of the clients. */
const aClientOfABanker: Shape = ({ known }) =>
  fc.record({
    user: someWhere(known.get('client') ?? [], 'nobody'),
    banker: someWhere(known.get('banker') ?? [], 'nobody'),
  })

/** Today, to somebody who has a banker as a rule. */
const aVisit: Shape = ({ known, now }, input) =>
  someWhere(known.get('client') ?? [], 'nobody').map((client) => ({
    ...{ ...input, client, day: now.toISOString().slice(0, 10) },
  }))

const ofTeller: Shape = ({ known }) =>
  someWhere(known.get('teller') ?? [], 'nobody').map((teller) => ({ teller }))

const onVisit: Shape = ({ known }, input) =>
  someWhere(known.get('visit') ?? [], 'none').map((visit) => ({ ...input, visit }))

const emails = fc.constantFrom('ada@example.com', 'bob@example.com', 'eve@example.com')

const ruleNames = fc.constantFrom('large', 'night')

const aRule: Shape = (_world, { book, outcome, mode }) =>
  ruleNames.map((rule) => ({
    ...{ book, rule, description: rule, outcome, mode },
    when: [{ field: 'amount', at_least: 100 }],
  }))

const onRule: Shape = (_world, input) => ruleNames.map((rule) => ({ ...input, rule }))

const onList: Shape = (_world, input) =>
  fc
    .tuple(fc.constantFrom('watch', 'allow'), numbers)
    .map(([list, number]) => ({ ...input, list, account: `customers:${number}` }))

export const shapes: Readonly<Record<string, Shape>> = {
  // First the one that nearly everything is asked of.
  'books.open': ({ known }, input) =>
    fc
      .constantFrom('main', known.get('book')?.includes('main') ? 'side' : 'main')
      .map((book) => ({ ...input, book, assets: ['USD/2', 'KES/2'] })),
  'accounts.open': (_world, input) =>
    fc
      .tuple(codes, fc.constantFrom('USD/2', 'USD/2', 'USD/2', 'KES/2', 'JPY/0'))
      .map(([account, asset]) => ({ ...input, account, asset })),
  'transfers.post': withoutConditions(aTransfer),
  'entries.post': withoutConditions(anEntry),
  'batches.post': (world, input) =>
    fc
      .array(anEntry(world, {}), { minLength: 1, maxLength: 3 })
      .map((entries) => ({ ...input, entries })),
  'exports.request': (_world, { book, format }) =>
    fc.constant({ book, format, from: '2026-01-01', to: '2026-01-31' }),
  // First those of whom one is to look after another.
  'users.register': ({ known }, input) => {
    const wanted = known.has('banker') ? 'customer' : 'mobile_banker'
    const roles = known.has('client') ? input.roles : [wanted]
    return fc.constant({ ...input, user: undefined, password, roles })
  },
  'sessions.open': (world, input) =>
    someWhere(world.known.get('username') ?? [], 'ada').map((username) => ({
      ...input,
      username,
      password,
    })),
  'users.import': (_world, input) => fc.constant({ ...input, user: undefined, password }),
  'members.import': (_world, input) =>
    emails.map((email) => ({ ...input, email, user: undefined, password })),
  // Nobody else's, because who asks himself is seldom the first to come.
  'members.sign_up': () =>
    fc.constantFrom('faye', 'gil').map((username) => ({
      ...{ username, email: `${username}@example.com`, password: 'Good enough 1!' },
    })),
  'staff.appoint': (_world, input) =>
    fc.tuple(emails, fc.constantFrom('cashier', 'mobile_banker')).map(([email, role]) => ({
      ...input,
      ...{ email, role, details: { branch_code: '7' } },
    })),
  'assignments.assign': aClientOfABanker,
  'visits.plan': aVisit,
  'tills.open': (_world, input) =>
    fc.constantFrom('0', '500').map((float) => ({ ...input, book: 'main', asset: 'USD/2', float })),
  'tills.count': () => fc.constantFrom('0', '500', '900000').map((counted) => ({ counted })),
  'tills.approve': ofTeller,
  'tills.book': ofTeller,
  'commissions.earn': ({ known }, input) => {
    const completed = known.get('completed') ?? []
    const collected = completed.filter((payment) => known.get('collected')?.includes(payment))
    return someWhere(collected, 'none').map((payment) => ({ ...input, payment }))
  },
  'commissions.order_payout': ({ known }) =>
    someWhere((known.get('earner') ?? []).slice(0, 1), 'nobody nothing').map((pair) => {
      const [agent, account] = pair.split(' ')
      return { book: 'main', asset: 'USD/2', agent, account }
    }),
  'commissions.pay': ({ known }, input) =>
    someWhere(known.get('payout') ?? [], 'none').map((payout) => ({ ...input, payout })),
  'visits.complete': onVisit,
  'visits.cancel': onVisit,
  'one_time_codes.use': aCode,
  'outbox.delivered': onMessage,
  'outbox.failed': onMessage,
  'conversations.open_room': withPeople,
  'conversations.open_thread': withPeople,
  'conversations.import': withPeople,
  'conversations.send': inConversation,
  'conversations.read': inConversation,
  'sessions.refresh': (_world, input) => fc.constant({ ...input, audience: 'daybook' }),
  'customers.register': (_world, input) => fc.constant({ ...input, customer: undefined }),
  'deposits.open': (_world, { book, customer, product }) =>
    numbers.map((account_number) => ({ book, customer, product, account_number })),
  'deposits.bring_forward': (_world, { book }) =>
    fc
      .oneof(
        fc.constant({ account: 'cash:vault', amount: '900000' }),
        // Little enough that another account has to make up for it now and then.
        deposits.map((account) => ({ account, amount: '2000' })),
      )
      .map((brought) => ({ book, ...brought })),
  'deposits.cover': (_world, input) =>
    fc
      .tuple(deposits, fc.oneof(fc.constant(null), deposits, deposits))
      .map(([account, covered_by]) => ({ ...input, account, covered_by })),
  // Where most of what a history has is kept.
  'payments.open_accounts': (_world, { book }) => fc.constant({ book, asset: 'USD/2' }),
  ...loanShapes,
  ...openingShapes,
  'payments.request': aPayment,
  'payments.request_at_counter': onDeposit,
  'payments.request_due': betweenDeposits,
  'standing_orders.place': anOrder,
  'interest.set_terms': interestTerms,
  'interest.capitalise': interestDue,
  'interest.settle': interestDue,
  'refunds.request': aRefund,
  'cash_advances.request': anAdvance,
  'check_deposits.submit': onDeposit,
  'refunds.approve': onRefund,
  'refunds.reject': onRefund,
  'refunds.process': onRefund,
  'machines.load': (_world, input) => fc.constant({ ...input, twenties: 5 }),
  'cards.issue': (_world, input) =>
    fc.tuple(numbers, pins).map(([account_number, pin]) => ({ ...input, account_number, pin })),
  'card_sessions.open': (_world, input) => pins.map((pin) => ({ ...input, pin })),
  'cards.change_pin': (_world, { card }) =>
    fc.tuple(pins, pins).map(([current_pin, new_pin]) => ({ card, current_pin, new_pin })),
  'card_transactions.withdraw': (world, input) => onDeposit(world, { ...input, amount: '2000' }),
  'card_transactions.deposit': onDeposit,
  'card_transactions.transfer': onDeposit,
  'statements.request': (_world, { book }) =>
    deposits.map((account) => ({ book, account, from: '2026-01-01', to: '2026-01-31' })),
  'cases.open': onScored,
  'cases.decide': (_world, input) =>
    fc.tuple(verdicts, fc.boolean()).map(([verdict, propose]) => ({ ...input, verdict, propose })),
  'cases.confirm': (_world, input) => verdicts.map((verdict) => ({ ...input, verdict })),
  'labels.record': onScored,
  'models.promote_by_rule': (_world, { version }) =>
    fc.constant({ family: 'fraud', version, book: 'main', asset: 'USD/2' }),
  'policies.declare_rule': aRule,
  'policies.snooze_rule': onRule,
  'policies.retire_rule': onRule,
  'policies.list_account': onList,
  'policies.unlist_account': onList,
  'accounts.freeze': (_world, input) =>
    fc.oneof(fc.constant(input), onDeposit(_world, input), onDeposit(_world, input)),
  'accounts.change_terms': (_world, input) => fc.constant({ ...input, overdraft_limit: '1000' }),
}

/** How often a command is drawn, where it is not once among all of them. */
export const weights: Readonly<Record<string, number>> = {
  'accounts.open': 8,
  'accounts.freeze': 8,
  'accounts.unfreeze': 16,
  'deposits.open': 4,
  'deposits.bring_forward': 4,
  'deposits.cover': 6,
  'cards.issue': 6,
  'card_sessions.open': 12,
  'card_sessions.log_out': 8,
  'card_sessions.expire': 4,
  'cards.change_pin': 6,
  'cards.block': 2,
  'cards.unblock': 4,
  'card_transactions.withdraw': 12,
  'card_transactions.deposit': 12,
  'card_transactions.transfer': 10,
  'machines.load': 4,
  ...loanWeights,
  ...openingWeights,
  'payments.request': 18,
  'payments.request_at_counter': 18,
  'payments.request_due': 4,
  'payments.approve': 12,
  'payments.reject': 12,
  'payments.carry_out': 14,
  'check_deposits.submit': 8,
  'check_deposits.approve': 20,
  'check_deposits.reject': 3,
  'check_deposits.clear': 8,
  'check_deposits.return': 6,
  'check_deposits.book': 14,
  'cash_advances.request': 6,
  'cash_advances.approve': 12,
  'cash_advances.reject': 4,
  'cash_advances.disburse': 12,
  'cash_advances.repay': 12,
  'cash_advances.book': 12,
  'refunds.request': 16,
  'refunds.approve': 20,
  'refunds.reject': 2,
  'refunds.process': 10,
  'standing_orders.place': 8,
  'standing_orders.carry_out': 12,
  'standing_orders.cancel': 2,
  'interest.set_terms': 6,
  'interest.capitalise': 6,
  'interest.settle': 8,
  'churn.add': 6,
  'churn.predict': 8,
  'churn.change': 3,
  'churn_alerts.raise': 5,
  'churn_alerts.sent': 8,
  'churn_alerts.not_sent': 8,
  'cases.open': 8,
  'cases.assign': 10,
  'cases.comment': 2,
  'cases.decide': 14,
  'cases.confirm': 20,
  'cases.reject': 10,
  'cases.reopen': 6,
  'labels.record': 4,
  'policies.set': 2,
  'policies.declare_rule': 4,
  'policies.snooze_rule': 4,
  'policies.retire_rule': 3,
  'policies.list_account': 6,
  'policies.unlist_account': 6,
  'models.record': 3,
  'models.promote': 6,
  'models.promote_by_rule': 6,
  'models.challenge': 16,
  'models.end_challenge': 3,
  'models.roll_back': 4,
  'tasks.request_counterfactual': 3,
  'tasks.complete': 3,
  'tasks.fail': 3,
  'statements.request': 4,
  'statements.complete': 3,
  'statements.fail': 2,
  'transfers.post': 30,
  'transfers.approve': 30,
  'transfers.decline': 30,
  'accounts.change_gating': 4,
  'entries.post': 20,
  'batches.post': 8,
  'entries.reverse': 8,
  'holds.place': 10,
  'holds.capture': 14,
  'holds.release': 4,
  'sessions.open': 4,
  'sessions.refresh': 4,
  'users.register': 4,
  'one_time_codes.send': 3,
  'one_time_codes.use': 8,
  'conversations.open_room': 3,
  'conversations.open_thread': 3,
  'conversations.send': 8,
  'conversations.read': 8,
  'preferences.change': 2,
  'outbox.delivered': 3,
  'outbox.failed': 3,
  'accounts.close': 8,
  'members.import': 4,
  'staff.appoint': 6,
  'assignments.assign': 10,
  'visits.plan': 8,
  'tills.open': 14,
  'tills.count': 10,
  'tills.approve': 10,
  'commissions.earn': 16,
  'commissions.order_payout': 14,
  'commissions.pay': 10,
  'visits.complete': 4,
  'visits.cancel': 4,
  'users.import': 3,
  'members.sign_up': 2,
  'exports.request': 2,
  'users.disable': 4,
  'users.enable': 12,
  'api_keys.issue': 4,
  'holidays.add': 6,
  'periods.close': 4,
  'holidays.change': 10,
  'holidays.remove': 8,
  'sessions.log_out': 8,
  'users.change_password': 4,
}

/** What happens first, so that something can happen. */
export const opening: readonly string[] = [
  ...['books.open', 'books.open', 'books.open', 'users.register', 'users.register'],
  'assignments.assign',
  ...Array.from({ length: 9 }, (_, index) => `one_time_codes.${index % 3 === 0 ? 'send' : 'use'}`),
  ...['openings.send_code', 'openings.prove_phone', 'openings.prove_phone'],
  'openings.submit_verified',
  ...Array.from({ length: 14 }, () => 'accounts.open'),
  ...['payments.open_accounts', 'machines.install', 'customers.register', 'customers.register'],
  ...Array.from({ length: 8 }, () => 'deposits.open'),
  ...Array.from({ length: 6 }, () => 'deposits.bring_forward'),
  ...['churn.add', 'churn.add', 'churn.add', 'models.record', 'models.record', 'models.record'],
  ...['machines.load', 'cards.issue', 'cards.issue', 'cards.issue'],
]
