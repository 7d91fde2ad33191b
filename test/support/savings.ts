/** People of the savings bank, who come in by its own door. */
import { accepted } from './bank.ts'
import { createClient, type Reply } from './client.ts'

export const PASSWORD = 'password123'

/** As `given` wants them. */
export const person = (ref: string, role: string) => ({
  ...{ ref, role, password: PASSWORD, email: `${ref}@example.com` },
})

/** Somebody in the bank's own way, with a token instead of cookies; `{ get, post }` under /api. */
export const logInAt = async (url: string, email: string, password = PASSWORD) => {
  const client = createClient(url)
  const { headers } = accepted(await client.post('/api/users/auth/login/', { email, password }))
  const [cookie = ''] = headers.getSetCookie().filter((one) => one.startsWith('access='))
  const own = { Authorization: `Bearer ${/^access=([^;]+)/.exec(cookie)?.[1]}` }
  return {
    get: (path: string): Promise<Reply> => client.get(`/api${path}`, own),
    post: (path: string, body: object = {}): Promise<Reply> =>
      client.post(`/api${path}`, body, own),
  }
}
export type Person = Awaited<ReturnType<typeof logInAt>>
