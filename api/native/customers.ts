import { z } from '@hono/zod-openapi'
import { registerCustomer } from '../../commands/customers.ts'
import { getCustomer, listCustomers } from '../../projections/customers.ts'
import { type Route, read, write } from '../route.ts'
import { pageOf } from './views.ts'

const tag = 'Customers'

const Customer = z
  .object({
    customer: z.string(),
    number: z.int(),
    name: z.string().nullable(),
    registered_at: z.iso.datetime({ precision: 3 }),
  })
  .openapi('Customer')

export const customerRoutes: readonly Route[] = [
  write('post', '/v1/customers', registerCustomer, {
    tag,
    summary: 'Register a customer',
    response: Customer,
    problems: ['CUSTOMER_EXISTS'],
    example: { body: { name: 'Alice Johnson' }, capture: { holder: 'customer' } },
    location: ({ customer }) => `/v1/customers/${customer}`,
  }),
  read('/v1/customers', listCustomers, {
    tag,
    summary: 'List customers',
    response: pageOf(Customer, 'Customer'),
    problems: ['BAD_CURSOR'],
    example: {},
  }),
  read('/v1/customers/{customer}', getCustomer, {
    tag,
    summary: 'Show a customer',
    response: Customer,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { customer: '{holder}' } },
  }),
]
