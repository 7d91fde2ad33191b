import type { Faults } from './faults.ts'

/** What passes between the process and the thread that holds its event store. */
export type Settings = { readonly directory: string; readonly port: number }

export type ToWorker = { readonly request: number } & (
  | { readonly kind: 'faults'; readonly faults: Partial<Faults> }
  | { readonly kind: 'cut_streams' }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'close' }
)

export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done'; readonly request: number }
