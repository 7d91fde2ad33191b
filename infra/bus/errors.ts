import type { PoisonError } from './port.ts'

export class BusClosed extends Error {
  override readonly name = 'BusClosed'
  constructor() {
    super('the bus is closed')
  }
}

/** The brokers did not answer in time; whether the messages were published is unknown. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable'
}

/** A handler rejected the same batch too often; `cause` is its last error. */
export class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed'
}

/** For handlers: the message at `messageIndex` of the batch can never be handled. */
export class PoisonedMessage extends Error implements PoisonError {
  override readonly name = 'PoisonedMessage'
  readonly poison = true
  readonly messageIndex: number
  constructor(messageIndex: number, reason: string) {
    super(reason)
    this.messageIndex = messageIndex
  }
}

export function isPoison(error: unknown): error is PoisonError {
  return (
    error instanceof Error &&
    'poison' in error &&
    error.poison === true &&
    'messageIndex' in error &&
    Number.isInteger(error.messageIndex)
  )
}
