import { z } from '@hono/zod-openapi'
import { signUp } from '../../commands/members.ts'
import { sendCode, useCode } from '../../commands/one_time_codes.ts'
import { appointStaff } from '../../commands/staff.ts'
import { listMembers, type MemberView } from '../../projections/members.ts'
import { getSelf, getUser } from '../../projections/users.ts'
import { ask, route, tell, tellPublic } from '../contract.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import type { Call, Route } from '../route.ts'
import { REQUIRED } from './errors.ts'
import { masks } from './masking.ts'
import { seesPersonal, User, userShownTo } from './views.ts'

const tag = 'Users'
const HOUR_S = 3600
const MOST_MEMBERS = 100
const MANAGER = { headers: { Authorization: 'Bearer {coastal_access}' } }

const Success = z.literal('success')
const Phone = z.string().trim().min(1).max(32)
const Code = z.string().trim().max(128)

const Registration = z
  .object({
    username: z
      .string()
      .trim()
      .regex(/^[^\s\p{C}]{1,128}$/u, 'a username is 1 to 128 characters without spaces'),
    email: z.email().max(254),
    password: signUp.input.shape.password,
    password_confirm: z.string().max(1024),
  })
  .refine(({ password, password_confirm }) => password === password_confirm, {
    path: ['password_confirm'],
    message: 'Passwords do not match.',
  })

const Appointment = z
  .object({
    email: z.email().max(254),
    /** Absent: what is before the @. */
    username: z.string().trim().min(1).max(128).optional(),
    first_name: z.string().trim().max(128).default(''),
    last_name: z.string().trim().max(127).default(''),
    role: z.string().max(32).default('cashier'),
    phone_number: Phone.optional(),
    phone: Phone.optional(),
    bank_name: Code.optional(),
    account_number: Code.optional(),
    branch_code: Code.optional(),
    government_id: Code.optional(),
    ssnit_number: z
      .string()
      .regex(/^C\d{12}$/, 'is a C and 12 digits')
      .optional(),
  })
  .refine(({ phone_number, phone }) => (phone_number ?? phone) !== undefined, {
    path: ['phone_number'],
    message: REQUIRED,
    // Also when another field is wrong.
    when: ({ value }) => typeof value === 'object' && value !== null,
  })

const appointmentOf = (input: z.infer<typeof Appointment>) => {
  const { email, first_name, last_name, role, phone_number, phone, username, ...details } = input
  const login = username ?? email.split('@')[0] ?? email
  return {
    ...{ email, role, phone: phone_number ?? phone ?? '', username: login },
    name: `${first_name} ${last_name}`.trim() || login,
    details: Object.fromEntries(
      Object.entries(details).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  }
}

/** As the read models have him after all that was written until now. */
const fresh = (call: Call): Call => ({ ...call, consistency: call.services.newestWrite() })

const Member = z
  .object({
    id: z.int().nullable(),
    name: z.string(),
    email: z.string(),
    current_assignment: z
      .object({ id: z.int().nullable(), name: z.string() })
      .nullable()
      .openapi({ description: 'the mobile banker who looks after him' }),
  })
  .openapi('CoastalMember')

const memberShownTo = ({ identity }: Call) => {
  const shown = seesPersonal(identity)
  const nameOf = (name: string | null) => (shown ? (name ?? '') : masks.name(name ?? ''))
  return ({ number, name, email, banker }: MemberView): z.infer<typeof Member> => ({
    id: number,
    name: nameOf(name),
    email: shown ? (email ?? '') : masks.text(email ?? ''),
    current_assignment: banker && { id: banker.number, name: nameOf(banker.name) },
  })
}

export const registrationRoutes: readonly Route[] = [
  route('post', '/api/users/auth/register/', 'public', {
    tag,
    summary: 'Register as a customer',
    description:
      'A password has 12 characters, of them a capital, a small letter, a digit, a sign.',
    status: 201,
    input: Registration,
    response: z.object({ status: Success, message: z.string(), user: User }),
    problems: ['USERNAME_TAKEN', 'EMAIL_TAKEN'],
    throttles: [
      {
        ...{ scope: 'registration', requests: 3, seconds: HOUR_S },
        key: (_input, { address }) => address,
      },
    ],
    example: {
      body: {
        username: 'ama',
        email: 'ama@example.com',
        password: 'Savings-2026!',
        password_confirm: 'Savings-2026!',
      },
    },
    run: async (call) => {
      const { username, email, password } = call.input
      const { answer } = await tellPublic(call, signUp, { username, email, password })
      const identity = { id: answer.user, roles: answer.roles }
      const user = userShownTo(identity)(await ask(fresh({ ...call, identity }), getSelf, {}))
      return { body: { status: 'success', message: 'Registration successful', user } }
    },
  }),
]

export const userRoutes: readonly Route[] = [
  route('post', '/api/users/create/', 'staff:appoint', {
    tag,
    summary: 'Take on somebody who serves customers',
    description: 'A first password is made and sent to the phone; it is shown nowhere.',
    status: 201,
    input: Appointment,
    response: z.object({ status: Success, message: z.string(), data: User }),
    problems: ['ROLE_NOT_APPOINTABLE', 'USERNAME_TAKEN', 'EMAIL_TAKEN'],
    example: {
      ...MANAGER,
      body: {
        email: 'kofi@example.com',
        first_name: 'Kofi',
        last_name: 'Boateng',
        role: 'cashier',
        phone_number: '+233244123456',
      },
    },
    run: async (call) => {
      const { answer } = await tell(call, appointStaff, appointmentOf(call.input))
      const user = await ask(fresh(call), getUser, { user: answer.user })
      const message = 'The account is open. Its password was sent by SMS.'
      return { body: { status: 'success', message, data: userShownTo(call.identity)(user) } }
    },
  }),
  route('post', '/api/users/send-otp/', 'self:read', {
    tag,
    summary: 'Send a code to a phone',
    description: 'Six digits, good for five minutes, at most one a minute.',
    input: z.object({ phone_number: sendCode.input.shape.phone }),
    response: z.object({ success: z.literal(true), message: z.string(), expires_in: z.int() }),
    problems: ['CODE_TOO_SOON'],
    example: { ...MANAGER, body: { phone_number: '+233244123456' } },
    run: async (call) => {
      const { phone_number: phone } = call.input
      const { answer } = await tell(call, sendCode, { phone })
      const message = `OTP sent to ${phone}`
      return { body: { success: true, message, expires_in: answer.expires_in_s } }
    },
  }),
  route('post', '/api/users/verify-otp/', 'self:read', {
    tag,
    summary: 'Prove that one has got the code',
    description: 'Once. Five wrong ones end it.',
    input: z.object({
      phone_number: useCode.input.shape.phone,
      otp_code: z.string().min(1).max(64),
    }),
    response: z.object({
      success: z.literal(true),
      message: z.string(),
      verified: z.literal(true),
    }),
    problems: ['CODE_NOT_SENT', 'CODE_WRONG', 'CODE_EXPIRED', 'CODE_LOCKED'],
    example: {
      ...MANAGER,
      body: { phone_number: '+233244123456', otp_code: 'none' },
      refused: 'CODE_WRONG',
    },
    run: async (call) => {
      const { phone_number: phone, otp_code: code } = call.input
      await tell(call, useCode, { phone, code })
      return { body: { success: true, message: 'OTP verified successfully.', verified: true } }
    },
  }),
  route('get', '/api/users/me/', 'self:read', {
    tag,
    summary: 'Show who I am',
    description: 'Names are masked below managers.',
    input: z.object({}),
    response: User,
    example: { ...MANAGER, capture: { coastal_user: 'id' } },
    run: async (call) => ({ body: userShownTo(call.identity)(await ask(call, getSelf, {})) }),
  }),
  route('get', '/api/users/members/', 'members:read', {
    tag,
    summary: 'List customers who sign in',
    description: 'At most 100 at a time; masked below managers.',
    input: z.object(numberedPaging(MOST_MEMBERS, MOST_MEMBERS)),
    response: numberedPageOf(Member, 'CoastalMember'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: MANAGER,
    run: async (call) => {
      const page = await ask(call, listMembers, call.input)
      return { body: numberedPage(call, call.input, page, memberShownTo(call)) }
    },
  }),
]
