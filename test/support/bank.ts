import type { Client, Reply } from './client.ts'

/** The reply of what must have worked. */
export const accepted = (reply: Reply): Reply => {
  if (reply.status >= 300) throw new Error(`${reply.status}: ${reply.text}`)
  return reply
}

/** Over HTTP: a book with cash, fees and two customers' accounts; Ada's is her own. */
export const openBank = async (
  admin: Client,
  book: string,
  owner = 'customer',
): Promise<string> => {
  const at = `/v1/books/${book}`
  accepted(await admin.post('/v1/books', { book, name: book, assets: ['USD/2', 'KES/2'] }))
  const accounts = [
    { account: 'cash:vault', type: 'asset', name: 'Cash' },
    { account: 'income:fees', type: 'income', name: 'Fees' },
    { account: 'customers:ada', type: 'liability', name: 'Ada', owner },
    { account: 'customers:bob', type: 'liability', name: 'Bob', owner: 'bob' },
  ]
  for (const account of accounts) {
    accepted(await admin.post(`${at}/accounts`, { asset: 'USD/2', ...account }))
  }
  return at
}

export const transferOf = (from: string, to: string, amount: string, more: object = {}) => ({
  from,
  to,
  amount,
  ...more,
})
