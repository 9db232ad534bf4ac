import type { Dialect } from '../../api/dialect.ts'
import { createCapyApplication } from './application.ts'

const prefix = '/api/v1'

/** Capy's warm pool: `/api/v1/projects` and below. */
export const capy: Dialect = {
  name: 'capy',
  title: 'Capy warm pool',
  document: `${prefix}/openapi.json`,
  add(application, services, authenticate) {
    application.mount(prefix, createCapyApplication(services, authenticate, prefix).fetch)
  },
}
