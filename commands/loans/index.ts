export { requestLoan } from './applications.ts'
export { carryOutLoan } from './bookings.ts'
export { approveLoan, rejectLoan, writeOffLoan } from './decisions.ts'
export { ageLoan, repayLoan } from './repayments.ts'
