import { z } from '@hono/zod-openapi'
import { addChurnCustomer, changeChurnCustomer, removeChurnCustomer } from '../../commands/churn.ts'
import {
  type ChurnCustomerWithHistory,
  getChurnCustomer,
  listChurnCustomers,
} from '../../projections/churn/index.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import type { Call, Route } from '../route.ts'
import { Customer, CustomerWithHistory, risk, shownTo } from './views.ts'

const tag = 'Customers'
const PAGE_SIZE = 10
const MOST_PAGE_SIZE = 100

export const asAnalyst = { headers: { Authorization: 'Bearer {churn_access}' } }

const twoPlaces = (value: number): boolean => Number(value.toFixed(2)) === value

const fields = {
  name: z.string().trim().min(1).max(255),
  email: z.email().max(254),
  phone: z.string().regex(/^\+?1?\d{9,15}$/, 'a phone number is 9 to 15 digits'),
  age: z.int().min(18).max(120),
  tenure: z.int().min(0).max(100),
  balance: z.number().min(0).max(1e15).refine(twoPlaces, 'has more than two decimal places'),
  products: z.int().min(0).max(100),
  credit_card: z.boolean(),
  active: z.boolean(),
  salary: z.number().min(0).max(1e15),
}
const Fields = z.object(fields)
type Fields = z.infer<typeof Fields>

/** What is sealed of a customer, and what models look at. */
const partsOf = ({ name, email, phone, ...profile }: Fields) => ({
  person: { name, email, phone },
  profile: {
    age: profile.age,
    tenure: profile.tenure,
    balance: profile.balance,
    products: profile.products,
    credit_card: profile.credit_card,
    active: profile.active,
    salary: profile.salary,
  },
})

/** An integer id in an address; what is none names nobody. */
const CustomerId = z.string().transform((text) => (/^\d{1,15}$/.test(text) ? Number(text) : 0))
const ById = z.object({ id: CustomerId })

/** The customer as the read models have him after all that was written until now. */
const customerOf = (call: Call, number: number): Promise<ChurnCustomerWithHistory> =>
  ask({ ...call, consistency: call.services.newestWrite() }, getChurnCustomer, { number })

/** Whoever has just sent them may see them. */
const written = async (call: Call<Fields>, number: number) => {
  const customer = await customerOf(call, number)
  const { email, phone } = call.input
  return { ...shownTo(call)(customer), email, phone }
}

const example = {
  name: 'John Doe',
  email: 'john.doe@example.com',
  phone: '+254700123456',
  age: 42,
  tenure: 3,
  balance: 75_000.5,
  products: 1,
  credit_card: true,
  active: false,
  salary: 50_000,
}
const one = { ...asAnalyst, params: { id: '{churn_customer}' } }

export const customerRoutes: readonly Route[] = [
  route('get', '/api/customers/', 'churn:use', {
    tag,
    summary: 'List customers',
    description: 'Search looks into names and e-mail addresses.',
    input: z.object({
      ...numberedPaging(PAGE_SIZE, MOST_PAGE_SIZE),
      search: z.string().max(128).default(''),
      sort_by: z.enum(['id', 'name', 'risk_score']).default('id'),
      order: z.enum(['asc', 'desc']).default('asc'),
    }),
    response: numberedPageOf(Customer, 'ChurnCustomer'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...asAnalyst, query: { sort_by: 'risk_score', order: 'desc' } },
    run: async (call) => {
      const page = await ask(call, listChurnCustomers, call.input)
      return { body: numberedPage(call, call.input, page, shownTo(call)) }
    },
  }),
  route('post', '/api/customers/', 'churn:use', {
    tag,
    summary: 'Add a customer',
    status: 201,
    input: Fields,
    response: Customer,
    problems: ['EMAIL_TAKEN'],
    example: { ...asAnalyst, body: example, capture: { churn_customer: 'id' } },
    run: async (call) => {
      const { answer } = await tell(call, addChurnCustomer, partsOf(call.input))
      return { body: await written(call, answer.number) }
    },
  }),
  route('get', '/api/customers/{id}/', 'churn:use', {
    tag,
    summary: 'Show a customer with his newest scores',
    input: ById,
    response: CustomerWithHistory,
    problems: ['RESOURCE_NOT_FOUND'],
    example: one,
    run: async (call) => {
      const customer = await ask(call, getChurnCustomer, { number: call.input.id })
      const risk_history = customer.history.map(({ score, timestamp }) => ({
        score: risk(score),
        timestamp: instant(timestamp),
      }))
      return { body: { ...shownTo(call)(customer), risk_history } }
    },
  }),
  route('put', '/api/customers/{id}/', 'churn:use', {
    tag,
    summary: 'Change a customer',
    input: Fields.extend(ById.shape),
    response: Customer,
    problems: ['RESOURCE_NOT_FOUND', 'EMAIL_TAKEN'],
    example: { ...one, body: { ...example, balance: 0, products: 3 } },
    run: async (call) => {
      const { customer, number } = await ask(call, getChurnCustomer, { number: call.input.id })
      await tell(call, changeChurnCustomer, { customer, ...partsOf(call.input) })
      return { body: await written(call, number) }
    },
  }),
]

/** Behind the routes that need the customer. */
export const removalRoutes: readonly Route[] = [
  route('delete', '/api/customers/{id}/', 'churn:use', {
    tag,
    summary: 'Remove a customer: the person is forgotten',
    status: 204,
    input: ById,
    response: z.undefined(),
    problems: ['RESOURCE_NOT_FOUND'],
    example: one,
    run: async (call) => {
      const { customer } = await ask(call, getChurnCustomer, { number: call.input.id })
      await tell(call, removeChurnCustomer, { customer })
      return {}
    },
  }),
]
