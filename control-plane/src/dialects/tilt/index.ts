import type { Dialect } from '../../api/dialect.ts'
import { createTiltApplication, document } from './application.ts'

/** What clients of Kubernetes’ interface ask for; `/api/v1` is another dialect’s. */
const mounted = ['/api', '/apis', '/apis/*', '/version', '/openapi/v2', '/openapi/v3']

/** Tilt's sessions, for kubectl and other clients of Kubernetes’ interface: `/apis/tilt.dev/v1alpha1/sessions`. */
export const tilt: Dialect = {
  name: 'tilt',
  title: 'Tilt sessions',
  document,
  add(application, services, authenticate) {
    const { fetch } = createTiltApplication(services, authenticate)
    for (const path of mounted) application.all(path, (context) => fetch(context.req.raw, context.env))
  },
}
