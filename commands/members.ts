import { z } from 'zod'
import { newUlid } from './ids.ts'
import { execute, publicCommand } from './kernel.ts'
import { ImportUser, RegisterUser, registering } from './users.ts'

/** Somebody who comes from another product, and signs in with his e-mail address too. */
export const importMember = registering('members.import', ImportUser, true)

const registerMember = registering('members.register', RegisterUser, true)

/** What a bank asks of a password that its owner chooses himself. */
const StrongPassword = z
  .string()
  .min(12, 'has fewer than 12 characters')
  .max(1024)
  .refine((text) => /\p{Lu}/u.test(text), 'has no capital letter')
  .refine((text) => /\p{Ll}/u.test(text), 'has no small letter')
  .refine((text) => /\d/.test(text), 'has no digit')
  .refine((text) => /[^\p{L}\p{N}\s]/u.test(text), 'has no special character')

/** Registers a customer who asks for it himself. */
export const signUp = publicCommand({
  name: 'members.sign_up',
  permission: 'public',
  input: RegisterUser.pick({ username: true }).extend({
    email: z.email().max(254),
    password: StrongPassword,
  }),
  run: (ports, { username, email, password }, context) => {
    const user = newUlid(context.at.getTime())
    const actor = { id: user, roles: ['system'] } as const
    const member = { user, username, email, password, name: username, roles: ['customer' as const] }
    return execute(ports, registerMember, member, { ...context, actor })
  },
})
