import {
  type ApplyResult,
  applyResultSchema,
  callerSchema,
  type ProjectDeclarationInput,
  type QuotaUses,
  quotaUsesSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { claims } from './groups/claims.ts'
import { environmentClasses } from './groups/environment-classes.ts'
import { environments } from './groups/environments.ts'
import { events } from './groups/events.ts'
import { jobs } from './groups/jobs.ts'
import { observers } from './groups/observers.ts'
import { organizations } from './groups/organizations.ts'
import { projects } from './groups/projects.ts'
import { runners } from './groups/runners.ts'
import { tokens } from './groups/tokens.ts'
import { warmPools } from './groups/warm-pools.ts'
import { type CallOptions, Transport, type TransportOptions } from './http/transport.ts'

/** Who the token stands for. */
export type Caller = z.infer<typeof callerSchema>

/** Hearth's HTTP interface, typed and checked by the contract. Every failure is a HearthError with the server's code. */
export class HearthClient {
  readonly #transport: Transport
  readonly url: string
  readonly organizations: ReturnType<typeof organizations>
  readonly tokens: ReturnType<typeof tokens>
  readonly runners: ReturnType<typeof runners>
  readonly environmentClasses: ReturnType<typeof environmentClasses>
  readonly projects: ReturnType<typeof projects>
  readonly warmPools: ReturnType<typeof warmPools>
  readonly environments: ReturnType<typeof environments>
  readonly claims: ReturnType<typeof claims>
  readonly jobs: ReturnType<typeof jobs>
  readonly events: ReturnType<typeof events>
  readonly observers: ReturnType<typeof observers>

  constructor(options: TransportOptions) {
    const transport = new Transport(options)
    this.#transport = transport
    this.url = options.url
    this.organizations = organizations(transport)
    this.tokens = tokens(transport)
    this.runners = runners(transport)
    this.environmentClasses = environmentClasses(transport)
    this.projects = projects(transport)
    this.warmPools = warmPools(transport)
    this.environments = environments(transport)
    this.claims = claims(transport)
    this.jobs = jobs(transport)
    this.events = events(transport)
    this.observers = observers(transport)
  }

  whoami(options: CallOptions = {}): Promise<Caller> {
    return this.#transport.json({ method: 'GET', path: '/v1/whoami', ...options }, callerSchema)
  }

  /** How much the organization and the caller may have at most, and have. */
  quotas(options: CallOptions = {}): Promise<QuotaUses> {
    return this.#transport.json({ method: 'GET', path: '/v1/quotas', ...options }, quotaUsesSchema)
  }

  /** Makes a project and its warm pools be as declared; pools that are not declared any more are deleted. */
  apply(declaration: ProjectDeclarationInput, options: CallOptions = {}): Promise<ApplyResult> {
    return this.#transport.json(
      { method: 'POST', path: '/v1/apply', body: declaration, ...options },
      applyResultSchema,
    )
  }
}
