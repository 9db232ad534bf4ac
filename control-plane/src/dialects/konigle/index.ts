import type { Dialect } from '../../api/dialect.ts'
import { createKonigleApplication } from './application.ts'

const prefix = '/cloud/api/v1'

/** Konigle's cloud: computers, web apps, spaces and jobs. */
export const konigle: Dialect = {
  name: 'konigle',
  title: 'Konigle cloud',
  document: `${prefix}/openapi.json`,
  add(application, services, authenticate) {
    application.mount(prefix, createKonigleApplication(services, authenticate, prefix).fetch)
  },
}
