import { type Problem, ProblemError, problem } from './problems.ts'
import type { Answer, Call } from './route.ts'

/** A request that came with a key, as far as it takes to know it again. */
export type Keyed = {
  /** The contract and the address: keys of one are none of another. */
  readonly scope: string
  readonly actor: string
  readonly key: string
  /** Of what was asked for. */
  readonly digest: string
}

/** What a request was answered: with a status and a body, or with a problem. */
export type Kept = Pick<Answer, 'status' | 'body'> | { readonly problem: Problem }

export type Claim =
  /** It is this request's turn; `since` is when it was first made. */
  | { readonly is: 'first'; readonly since: Date }
  | { readonly is: 'answered'; readonly kept: Kept }
  | { readonly is: 'under way' }
  | { readonly is: 'another request' }

/** Answers of the last 24 hours by the keys that their requests came with; `infra` has them. */
export type KeptAnswers = {
  claim(asked: Keyed, at: Date): Promise<Claim>
  keep(asked: Keyed, kept: Kept): Promise<void>
  /** Nobody knows what came of it: the next with the key goes on with it. */
  release(asked: Keyed): Promise<void>
}

/** Who is not known, or asked too often, may ask again; what failed here may work the next time. */
const isFinal = ({ status }: Problem): boolean => status < 500 && status !== 401 && status !== 429

const replayed = (kept: Kept): Answer => {
  if ('problem' in kept) throw new ProblemError(kept.problem)
  return { ...kept, headers: { 'Idempotent-Replayed': 'true' } }
}

/** Files as text: as lists of numbers they would be ten times as long. */
const shortly = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value

const keyedBy = ({ services, identity, input, request }: Call, key: string): Keyed => {
  const { pathname } = new URL(request.url)
  return {
    scope: `${request.method} ${pathname.replace(/\/$/, '')}`,
    ...{ actor: identity.id, key },
    digest: services.ports.secrets.digest(JSON.stringify(input, shortly)),
  }
}

/**
 * Runs a request with a key once in 24 hours, and gives its answer again to whoever repeats it,
 * refusals too. The commands beneath have the key as well, with the time of the first request: what
 * a process did that ended before it answered is found again and not done twice.
 */
export const answerOnce = async <Input>(
  call: Call<Input>,
  run: (call: Call<Input>) => Promise<Answer>,
): Promise<Answer> => {
  if (call.key === undefined) return run(call)
  const { answers } = call.services
  const asked = keyedBy(call, call.key)
  const claim = await answers.claim(asked, call.at)
  if (claim.is === 'answered') return replayed(claim.kept)
  if (claim.is === 'under way') {
    throw new ProblemError(problem('REQUEST_UNDER_WAY', 'The first request is still under way.'))
  }
  if (claim.is === 'another request') {
    const detail = 'This idempotency key came with a different request before.'
    throw new ProblemError(problem('IDEMPOTENCY_KEY_REUSED', detail))
  }
  try {
    const answer = await run({ ...call, key: `${call.key}@${claim.since.getTime()}` })
    const { status, body } = answer
    await answers.keep(asked, { body, ...(status !== undefined && { status }) })
    return answer
  } catch (error) {
    const final = error instanceof ProblemError && isFinal(error.problem)
    await (final ? answers.keep(asked, { problem: error.problem }) : answers.release(asked))
    throw error
  }
}
