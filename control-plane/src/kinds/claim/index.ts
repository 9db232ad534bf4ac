export { createClaim } from './commands/create.ts'
export { releaseClaim } from './commands/release.ts'
export { signClaimCertificate } from './commands/sign-certificate.ts'
export { claims } from './queries.ts'
