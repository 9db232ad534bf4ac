export { CertificateAuthorities } from './authorities.ts'
export { bootstrap } from './bootstrap.ts'
export { checkEncryptionKey } from './encryption-check.ts'
export { organizations } from './queries.ts'
