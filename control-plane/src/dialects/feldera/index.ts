import type { Dialect } from '../../api/dialect.ts'
import { createAuthenticationApplication, createFelderaApplication } from './application.ts'

const prefix = '/v0'

/** Feldera's pipelines. */
export const feldera: Dialect = {
  name: 'feldera',
  title: 'Feldera pipelines',
  document: `${prefix}/openapi.json`,
  add(application, services, authenticate) {
    application.mount(prefix, createFelderaApplication(services, authenticate, prefix).fetch)
    // Its clients ask for this before they have a token, beside the other paths.
    application.mount('/config', createAuthenticationApplication(services, '/config').fetch)
  },
}
