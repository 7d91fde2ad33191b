export { type Replay, type ReplayedBalance, type ReplayOptions, replay } from './replay.ts'
export type { Difference, Figures, Report } from './report.ts'
export { type VerifyOptions, type VerifyProgress, verify } from './verify.ts'
