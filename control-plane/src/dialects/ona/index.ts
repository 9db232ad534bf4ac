import type { Dialect } from '../../api/dialect.ts'
import { createOnaApplication } from './application.ts'

const prefix = '/ona'

/** Ona's prebuilds and their neighbours: `/ona/gitpod.v1.PrebuildService/CreatePrebuild` and others. */
export const ona: Dialect = {
  name: 'ona',
  title: 'Ona',
  document: `${prefix}/openapi.json`,
  add(application, services, authenticate) {
    application.mount(prefix, createOnaApplication(services, authenticate, prefix).fetch)
  },
}
