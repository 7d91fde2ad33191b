import type { Context } from 'hono'
import type { Dialect } from './dialect.ts'
import { parseJson } from './json.ts'
import type { Env } from './kernel.ts'
import { invalidField, invalidRequest, ProblemError, problem } from './problems.ts'
import type { Route } from './route.ts'
import { FORM_BYTES, readForm } from './uploads.ts'

const fault = (field: string, message: string): ProblemError =>
  new ProblemError(invalidField(field, message))

const tooLarge = (limit_bytes: number): ProblemError =>
  new ProblemError(problem('BODY_TOO_LARGE', `A body may have ${limit_bytes} bytes.`))

/** Reads a body of unknown length, but no further than the limit. */
const readBounded = async (request: Request, limit_bytes: number): Promise<Buffer<ArrayBuffer>> => {
  if (!request.body) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limit_bytes) throw tooLarge(limit_bytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Whether a body says how long it is; refused when that is too long. */
const saysLength = (c: Context<Env>, limit_bytes: number): boolean => {
  const declared = c.req.header('content-length')
  if (declared !== undefined && Number(declared) > limit_bytes) throw tooLarge(limit_bytes)
  return declared !== undefined
}

const readText = async (c: Context<Env>, limit_bytes: number): Promise<string> => {
  if (saysLength(c, limit_bytes)) return c.req.text()
  return new TextDecoder().decode(await readBounded(c.req.raw, limit_bytes))
}

const readBytes = async (c: Context<Env>, limit_bytes: number) =>
  saysLength(c, limit_bytes)
    ? new Uint8Array(await c.req.arrayBuffer())
    : readBounded(c.req.raw, limit_bytes)

const mediaTypeOf = (c: Context<Env>): string | undefined =>
  c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()

/** Refuses a body that does not call itself so. */
export const requireMediaType = (c: Context<Env>, wanted: string): void => {
  const given = mediaTypeOf(c)
  if (given === wanted) return
  const detail = `The body must be ${wanted}, not ${given ?? 'of no type'}.`
  throw new ProblemError(problem('UNSUPPORTED_MEDIA_TYPE', detail))
}

const readBody = async (
  c: Context<Env>,
  { multipart }: Route,
  limit_bytes: number,
): Promise<object> => {
  if (multipart && mediaTypeOf(c) === 'multipart/form-data') {
    return readForm(await readBytes(c, FORM_BYTES), c.req.header('content-type') ?? '')
  }
  const text = await readText(c, limit_bytes)
  if (text === '') return {}
  requireMediaType(c, 'application/json')
  const body = parseJson(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw fault('(body)', 'must be an object')
  }
  return body
}

const DRY_RUN = 'dry_run'

/** Query fields, each at most once; of a contract that is not strict, the last of each name. */
const readQuery = (c: Context<Env>, isStrict: boolean): Record<string, string> => {
  const fields: Record<string, string> = {}
  if (!c.req.url.includes('?')) return fields
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (isStrict && Object.hasOwn(fields, name)) throw fault(name, 'given twice')
    if (value.includes('\0')) throw fault(name, 'holds a NUL')
    fields[name] = value
  }
  return fields
}

const takeDryRun = (route: Route, query: Record<string, string>): boolean => {
  const value = query[DRY_RUN]
  if (value === undefined || route.source !== 'body') return false
  if (value !== 'true' && value !== 'false') throw fault(DRY_RUN, 'must be true or false')
  delete query[DRY_RUN]
  return value === 'true'
}

export type ParsedInput = { readonly input: unknown; readonly dryRun: boolean }

/** Path, query and body as one validated input. Throws a problem that names the fields at fault. */
export const parseInput = async (
  c: Context<Env>,
  route: Route,
  { unknownFields }: Pick<Dialect, 'unknownFields'>,
  limit_bytes: number,
): Promise<ParsedInput> => {
  const isStrict = unknownFields === 'refused'
  const params = c.req.param() as Record<string, string>
  const query = readQuery(c, isStrict)
  const dryRun = isStrict && takeDryRun(route, query)
  const fields = route.source === 'body' ? await readBody(c, route, limit_bytes) : query
  if (isStrict && route.source === 'body') {
    for (const name of Object.keys(query)) throw fault(name, 'unknown query field')
  }
  for (const name of Object.keys(params)) {
    if (isStrict && Object.hasOwn(fields, name)) throw fault(name, 'stands in the address already')
  }
  const parsed = route.input.safeParse({ ...fields, ...params })
  if (!parsed.success) throw new ProblemError(invalidRequest(parsed.error))
  return { input: parsed.data, dryRun }
}

const KEY = /^[\x21-\x7e]{1,128}$/

export const idempotencyKeyOf = (
  c: Context<Env>,
  { idempotencyHeader = 'Idempotency-Key' }: Pick<Dialect, 'idempotencyHeader'>,
): string | undefined => {
  const key = c.req.header(idempotencyHeader)
  if (key !== undefined && !KEY.test(key)) {
    throw fault(idempotencyHeader, 'must be 1 to 128 visible ASCII characters without spaces')
  }
  return key
}

export const ifMatchOf = (c: Context<Env>): number | undefined => {
  const tag = c.req.header('if-match')
  if (tag === undefined) return undefined
  const match = /^"(\d{1,15})"$/.exec(tag)
  if (!match) throw fault('If-Match', 'must be an ETag of this resource, such as "7"')
  return Number(match[1])
}

export const consistencyOf = (c: Context<Env>): bigint | undefined => {
  const token = c.req.header('consistency-token')
  if (token === undefined) return undefined
  if (!/^\d{1,20}$/.test(token)) throw fault('Consistency-Token', 'must be one that a write gave')
  return BigInt(token)
}
