export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>

/** Runs one piece of work after the other, whatever became of the one before. */
export const createTurns = (): InTurn => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}
