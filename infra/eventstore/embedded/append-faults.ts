import type { Faults } from './faults.ts'

/** Answers a durable append, unless a test wants the answer late or lost. */
export function answerLater(faults: Faults, answer: () => void): void {
  if (faults.answersToLose > 0) {
    faults.answersToLose -= 1
    return
  }
  if (faults.answerDelayMs > 0) setTimeout(answer, faults.answerDelayMs)
  else answer()
}

/** Whether to leave the next append unwritten and unanswered. */
export function isIgnored(faults: Faults): boolean {
  if (faults.appendsToIgnore === 0) return false
  faults.appendsToIgnore -= 1
  return true
}
