export { openPaymentAccounts } from './accounts.ts'
export { approvePayment, carryOutPayment, rejectPayment } from './decisions.ts'
export { requestCounterPayment, requestDuePayment, requestPayment } from './requests.ts'
