/** What requests about openings and closures must look like, and what is worth knowing of others. */
import fc, { type Arbitrary } from 'fast-check'
import type { Shape } from './shapes.ts'
import type { World } from './world.ts'

const LATEST = 3
const PHONE = '0247654321'
const NOBODY = 'applicant0@example.com'

const latest = ({ known }: World, name: string): Arbitrary<string> => {
  const values = known.get(name)?.slice(-LATEST) ?? []
  return values.length > 0 ? fc.constantFrom(...values) : fc.constant('none')
}

/** More than one history makes users of; but often somebody wants what another has asked for. */
const anEmail = (world: World): Arbitrary<string> =>
  fc
    .noBias(fc.integer({ min: 1, max: 60 }))
    .chain((count) =>
      fc.constant(
        count % 2 === 0
          ? `applicant${count}@example.com`
          : (world.known.get('wanted')?.at(-1) ?? NOBODY),
      ),
    )

const anOpening = (world: World, book: unknown, plan: unknown): Arbitrary<object> =>
  anEmail(world).map((email) => ({
    ...{ book, asset: 'USD/2', plan, card: 'gold' },
    application: {
      ...{ first_name: 'Jane', last_name: 'Smith', date_of_birth: '1992-05-15', email },
      ...{ id_type: 'ghana_card', id_number: 'GHA-123456789-0', phone: PHONE },
    },
  }))

const onOpening =
  (name: string): Shape =>
  (world, input) =>
    latest(world, name).map((opening) => ({ ...input, opening }))

const onClosure =
  (name: string): Shape =>
  (world, input) =>
    latest(world, name).map((closure) => ({ ...input, closure }))

/** Mostly the code that was sent last. */
const aCode: Shape = (world) =>
  latest(world, 'applicant_code').chain((code) =>
    fc.constantFrom(code, code, '000000').map((told) => ({ phone: PHONE, code: told })),
  )

const aClosure: Shape = (world, { book, reason }) =>
  latest(world, 'owned').map((account) => ({ book, account, reason, other_reason: 'Moves away' }))

const phone: Shape = () => fc.constant({ phone: PHONE })

export const openingShapes: Readonly<Record<string, Shape>> = {
  'openings.submit': (world, { book, plan }) => anOpening(world, book, plan),
  'openings.send_code': phone,
  'openings.prove_phone': aCode,
  'openings.submit_verified': (world, { book, plan }) =>
    fc
      .tuple(anOpening(world, book, plan), latest(world, 'proven'))
      .map(([asked, opening]) => ({ ...asked, opening })),
  'openings.add_photo': onOpening('submitted'),
  'openings.approve': onOpening('submitted'),
  'openings.reject': onOpening('submitted'),
  'openings.fulfil': onOpening('approved_opening'),
  'openings.dispatch_credentials': onOpening('fulfilled_opening'),
  'openings.forget': onOpening('rejected_opening'),
  'closures.request': aClosure,
  'closures.approve': onClosure('requested_closure'),
  'closures.reject': onClosure('requested_closure'),
  'closures.carry_out': onClosure('approved_closure'),
}

export const openingWeights: Readonly<Record<string, number>> = {
  'openings.submit': 8,
  'openings.send_code': 3,
  'openings.prove_phone': 8,
  'openings.submit_verified': 4,
  'openings.add_photo': 2,
  'openings.approve': 14,
  'openings.reject': 3,
  'openings.fulfil': 4,
  'openings.dispatch_credentials': 4,
  'openings.forget': 4,
  'closures.request': 12,
  'closures.approve': 12,
  'closures.reject': 2,
  'closures.carry_out': 5,
}

type Known = Readonly<Record<string, string | null | undefined>>

/** What a world without secrets keeps sealed. */
const unsealed = (sealed: string | null | undefined): Known =>
  JSON.parse(Buffer.from(sealed ?? '', 'base64').toString())

const applicantCode = (sealed: string | null | undefined): Known => {
  const { recipient, secret } = unsealed(sealed)
  return recipient === PHONE ? { applicant_code: secret } : {}
}

const hints: Readonly<Record<string, (data: Known) => Known>> = {
  OpeningSubmitted: ({ opening, application }) => ({
    ...{ submitted: opening, wanted: unsealed(application).email },
  }),
  OpeningApproved: ({ opening }) => ({ approved_opening: opening }),
  OpeningFulfilled: ({ opening }) => ({ fulfilled_opening: opening }),
  OpeningRejected: ({ opening }) => ({ rejected_opening: opening }),
  OneTimeCodeUsed: ({ user }) => ({ proven: user }),
  OutboxMessageQueued: ({ sealed }) => applicantCode(sealed),
  AccountOpened: ({ account, owner }) => (owner ? { owned: account } : {}),
  ClosureRequested: ({ closure }) => ({ requested_closure: closure }),
  ClosureApproved: ({ closure }) => ({ approved_closure: closure }),
}

/** By what is worth knowing of it later. */
export const openingHints = (type: string, data: unknown): Known =>
  hints[type]?.(data as Known) ?? {}
