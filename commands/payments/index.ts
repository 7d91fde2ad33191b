export { openPaymentAccounts } from './accounts.ts'
export { approvePayment, carryOutPayment, rejectPayment } from './decisions.ts'
export { requestCounterPayment, requestPayment } from './requests.ts'
