export { CertificateAuthorities } from './authorities.ts'
export { bootstrap } from './bootstrap.ts'
export { findOrganization } from './queries.ts'
export { addOrganizationRoutes } from './routes.ts'
