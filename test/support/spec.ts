import { expect } from 'vitest'
import { type AnyEvent, type Decider, fold, isRefusal, type Refusal } from '../../domain/kernel.ts'
import type { RefusalCode } from '../../domain/refusals.ts'

type CommandOf<Decide, Name extends keyof Decide> = Decide[Name] extends (
  state: never,
  command: infer Command,
) => unknown
  ? Command
  : never

/** The state after these events. */
export const stateAfter = <State>(
  decider: Decider<State>,
  events: readonly AnyEvent[],
  state: State = decider.initial(),
  revision = 0,
): State =>
  events.reduce((folded, event, index) => fold(decider, folded, event, revision + index), state)

/**
 * Reads aloud: `spec(Ledger).given(opened).when('post', {...}).gives(posted)`. What was decided is
 * folded too, so that a decision which its own fold would not accept fails the spec.
 */
export const spec = <State, Decide extends object>(decider: {
  readonly initial: () => State
  readonly decide: Decide
}) => {
  const module = decider as unknown as Decider<State>
  const given = (...history: readonly (AnyEvent | readonly AnyEvent[])[]) => {
    const events = history.flat() as AnyEvent[]
    const when = <Name extends keyof Decide & string>(
      name: Name,
      command: CommandOf<Decide, Name>,
    ) => {
      const state = stateAfter(module, events)
      const outcome = module.decide[name](state, command) as readonly AnyEvent[] | Refusal
      if (!isRefusal(outcome)) {
        for (const { type, data } of outcome) module.schemas[type]?.parse(data)
        stateAfter(module, outcome, state, events.length)
      }
      return {
        outcome,
        /** What was decided. Fails when it was refused. */
        events: (): readonly AnyEvent[] => {
          if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused}: ${outcome.detail}`)
          return outcome
        },
        gives: (...expected: readonly AnyEvent[]) => expect(outcome).toEqual(expected),
        /** Exactly events of these types. */
        happens: (...types: readonly string[]) =>
          expect(isRefusal(outcome) ? outcome : outcome.map(({ type }) => type)).toEqual(types),
        rejects: (code: RefusalCode, facts?: Refusal['facts']) =>
          expect(outcome).toMatchObject({ refused: code, ...(facts && { facts }) }),
      }
    }
    return { when, state: stateAfter(module, events) }
  }
  return { given }
}
