export * from './accounts.ts'
export * from './entries.ts'
export * from './holds.ts'
export * from './periods.ts'
