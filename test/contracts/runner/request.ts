/** Asking the server, with a time-out. */
import { extractText, getDocumentProxy } from 'unpdf'
import type { Answer } from './expect.ts'
import type { Request } from './scenario.ts'

const REPLY_MS = 20_000

export type Target = {
  /** Without a slash at its end. */
  readonly baseUrl: string
  /** Ends the calls under way when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of a PDF, its first line and then what a reader sees in it. */
const textOf = async (response: Response): Promise<string> => {
  if (!response.headers.get('content-type')?.startsWith('application/pdf')) return response.text()
  const bytes = new Uint8Array(await response.arrayBuffer())
  const [first] = Buffer.from(bytes.subarray(0, 64)).toString('latin1').split('\n')
  const { text } = await extractText(await getDocumentProxy(bytes), { mergePages: true })
  return `${first}\n${text}`
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `none within ${REPLY_MS / 1000} s`
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Redirections are not followed: they are answers. */
export const ask = async (
  { signal }: Target,
  url: string | URL,
  init: RequestInit,
): Promise<Answer> => {
  const timeout = AbortSignal.timeout(REPLY_MS)
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    const text = await textOf(response)
    return { status: response.status, headers: response.headers, text, json: parse(text) }
  } catch (error) {
    throw new Error(`no answer: ${reasonOf(error)}`)
  }
}

const all = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

/** A captured link, such as `next`, is a whole address already. */
const urlOf = ({ baseUrl }: Target, { path, query = {} }: Request): URL => {
  const url = new URL(/^https?:/.test(path) ? path : `${baseUrl}${path}`)
  for (const [name, value] of Object.entries(query)) {
    for (const one of all(value)) url.searchParams.append(name, String(one))
  }
  return url
}

const formOf = ({ fields = {}, files = [] }: NonNullable<Request['multipart']>): FormData => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of all(value)) form.append(name, String(one))
  }
  for (const { name, filename, content_type, bytes_base64 } of files) {
    const bytes = Buffer.from(bytes_base64, 'base64')
    form.append(name, new Blob([bytes], { type: content_type }), filename)
  }
  return form
}

const bodyOf = ({ body, raw_body, multipart }: Request): string | FormData | undefined => {
  if (multipart) return formOf(multipart)
  if (raw_body !== undefined) return raw_body
  return body === undefined || body === null ? undefined : JSON.stringify(body)
}

/** Sends a request in which no placeholder is left. Its own headers go before the added ones. */
export const send = (
  target: Target,
  request: Request,
  added: Readonly<Record<string, string>>,
): Promise<Answer> => {
  const body = bodyOf(request)
  const headers = new Headers(added)
  if (typeof body === 'string') headers.set('Content-Type', 'application/json')
  for (const [name, value] of Object.entries(request.headers ?? {}))
    headers.set(name, String(value))
  const { method } = request
  return ask(target, urlOf(target, request), {
    method,
    headers,
    ...(body !== undefined && { body }),
  })
}
