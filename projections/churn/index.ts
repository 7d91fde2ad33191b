export * from './customer_queries.ts'
export * from './risk_queries.ts'
export { churnBook } from './tables.ts'
