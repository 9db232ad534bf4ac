export { createClaim, releaseClaim, signClaimCertificate } from './commands.ts'
