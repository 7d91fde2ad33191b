/** What the tests of chat over sockets share: people in rooms, and what each of them is sent. */
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { accepted } from './support/bank.ts'
import { createClient, eventually } from './support/client.ts'
import { doorOf } from './support/machine.ts'
import type { Daybook } from './support/stack.ts'

type Server = Pick<Daybook, 'url'>
// biome-ignore lint/suspicious/noExplicitAny: tests look into frames as they please
export type Frame = any

const password = 'password123'
const roles = { ama: 'customer', kofi: 'cashier', esi: 'customer' } as const
export type Ref = keyof typeof roles

/** A customer and a cashier in a room, and another customer who is not in it. */
export const furnish = async (server: Server) => {
  const door = doorOf(server)
  await door.reset()
  const users = Object.entries(roles).map(([ref, role]) => ({
    ...{ ref, role, password, email: `${ref}@example.com`, name: ref },
  }))
  const given = { users, rooms: [{ ref: 'room', members: ['ama', 'kofi'] }] }
  const { body } = accepted(await door.knock('given', { contract: 'coastal', given }))
  return { room: body.refs.room.id as number, refs: body.refs, door }
}

/** The access token of somebody who logs in now. */
export const accessOf = async ({ url }: Server, ref: Ref): Promise<string> => {
  const credentials = { email: `${ref}@example.com`, password }
  const { headers } = accepted(await createClient(url).post('/api/users/auth/login/', credentials))
  const cookie = headers.getSetCookie().find((one) => one.startsWith('access='))
  return /=([^;]*)/.exec(cookie ?? '')?.[1] ?? ''
}

export const clientOf = async (server: Server, ref: Ref) =>
  createClient(server.url, await accessOf(server, ref))

type Wanted = {
  readonly room: number | string
  readonly query?: string
  readonly headers: Readonly<Record<string, string>>
}

const socketTo = ({ url }: Server, { room, query = '', headers }: Wanted): WebSocket => {
  const address = `${url.replace('http', 'ws')}/api/chat/rooms/${room}/ws/${query}`
  const socket = new WebSocket(address, { headers })
  // One that never opened says so when it is ended.
  socket.on('error', () => undefined)
  onTestFinished(() => socket.terminate())
  return socket
}

/** The status that somebody is refused with who wants to open a socket. */
export const refusalOf = async (server: Server, wanted: Wanted): Promise<number> => {
  const socket = socketTo(server, wanted)
  const [, response] = await once(socket, 'unexpected-response')
  return response.statusCode
}

/** An open socket, with what came over it so far. */
export const join = async (server: Server, wanted: Wanted) => {
  const socket = socketTo(server, wanted)
  const frames: Frame[] = []
  const closed = once(socket, 'close').then(([code]) => code as number)
  socket.on('message', (data) => frames.push(JSON.parse(data.toString())))
  await once(socket, 'open')
  const of = (type: string): Frame[] => frames.filter((frame) => frame.type === type)
  const seen = async (type: string, count = 1): Promise<Frame[]> => {
    await eventually(
      `${count} ${type}`,
      async () => of(type),
      (all) => all.length >= count,
    )
    return of(type)
  }
  return {
    ...{ socket, frames, closed, of, seen },
    say: (frame: object) => socket.send(JSON.stringify(frame)),
    sequences: (): number[] => of('message').map(({ message }) => message.sequence),
    ready: async () => (await seen('ready'))[0],
  }
}

export const bearer = (access: string) => ({ Authorization: `Bearer ${access}` })
