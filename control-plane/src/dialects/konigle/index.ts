import type { Dialect } from '../../api/dialect.ts'
import { createKonigleApplication } from './application.ts'
import { uploads } from './deployments.ts'

const prefix = '/cloud/api/v1'

/** Konigle's cloud: computers, web apps, spaces and jobs. */
export const konigle: Dialect = {
  name: 'konigle',
  title: 'Konigle cloud',
  document: `${prefix}/openapi.json`,
  add(application, services, authenticate) {
    application.mount(prefix, createKonigleApplication(services, authenticate, prefix).fetch, {
      replaceRequest: withoutPrefix,
    })
  },
}

/**
 * The request as the dialect's own application sees it. The body of an upload stays where it is, to be read from the connection:
 * a request made of another one begins to read it.
 */
function withoutPrefix(request: Request): Request {
  const url = new URL(request.url)
  url.pathname = url.pathname.slice(prefix.length) || '/'
  const { method, headers } = request
  const isUpload = method === 'POST' && uploads.test(url.pathname)
  return isUpload ? new Request(url, { method, headers }) : new Request(url, request)
}
