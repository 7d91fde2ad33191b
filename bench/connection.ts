import { once } from 'node:events'
import { connect } from 'node:net'

export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: string
  readonly headers?: Headers
}
export type Response = { readonly status: number; readonly body: string }
export type Headers = Readonly<Record<string, string>>

/** One keep-alive connection: one request at a time, answered by a body of declared length. */
export type Connection = {
  send(request: Request): Promise<Response>
  close(): void
}

type Waiting = {
  readonly resolve: (response: Response) => void
  readonly reject: (error: Error) => void
}

const TIMEOUT_MS = 30_000
const HEAD_END = '\r\n\r\n'

/** The first whole response in the text and what follows it; undefined when it is not all there. */
const takeResponse = (text: string): { response: Response; rest: string } | undefined => {
  const end = text.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`a response without a length:\n${head}`)
  const start = end + HEAD_END.length
  const stop = start + Number(length)
  if (text.length < stop) return undefined
  const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
  return { response: { status, body: text.slice(start, stop) }, rest: text.slice(stop) }
}

const written = (headers: Headers): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')

/**
 * Every request carries `identity`, the headers that say who is calling.
 *
 * Hand-made, because the generator shares its cores with the server: a general client would cost
 * as much as what it measures. Bodies are ASCII both ways, so a character is a byte.
 */
export const openConnection = async (url: URL, identity: Headers): Promise<Connection> => {
  const socket = connect(Number(url.port), url.hostname)
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('timeout', () => socket.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
  await once(socket, 'connect')
  const common = written({ Host: url.host, ...identity })
  let waiting: Waiting | undefined
  let received = ''
  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed a connection')))
  socket.on('data', (chunk: string) => {
    received += chunk
    try {
      const taken = takeResponse(received)
      if (!taken) return
      received = taken.rest
      const { resolve } = waiting ?? { resolve: () => undefined }
      waiting = undefined
      // An idle connection is no fault.
      socket.setTimeout(0)
      resolve(taken.response)
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  return {
    send: ({ method, path, body = '', headers = {} }) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the connection is closed'))
        waiting = { resolve, reject }
        socket.setTimeout(TIMEOUT_MS)
        const type = method === 'GET' ? '' : 'Content-Type: application/json\r\n'
        const length = method === 'GET' ? '' : `Content-Length: ${body.length}\r\n`
        const more = written(headers)
        const head = `${method} ${path} HTTP/1.1\r\n${common}${type}${length}${more}\r\n`
        socket.write(head + body, 'latin1')
      }),
    close: () => socket.destroy(),
  }
}
