import type { Actor } from '../commands/ports.ts'

/** In whose name Daybook itself acts: the clock, the demo bank, imports. */
export const SYSTEM: Actor = { id: 'system', roles: ['system'] }
