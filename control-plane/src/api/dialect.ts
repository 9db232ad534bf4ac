import type { Application, Authenticate } from './application.ts'
import type { Services } from './services.ts'

/** Another system's HTTP interface over the same kinds: it translates, and decides nothing. */
export interface Dialect {
  /** The name in paths: the documentation page is `/docs/<name>`. */
  name: string
  title: string
  /** Where its OpenAPI document is served. */
  document: string
  add(application: Application, services: Services, authenticate: Authenticate): void
}
