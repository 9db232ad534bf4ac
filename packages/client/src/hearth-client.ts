import {
  type ApplyResult,
  applyResultSchema,
  callerSchema,
  kinds,
  type ProjectDeclarationInput,
  type QuotaUses,
  quotaUsesSchema,
  type SecureAccess,
  secureAccessSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import * as groups from './groups/index.ts'
import { collection, deletion, explaining } from './http/collection.ts'
import { type CallOptions, Transport, type TransportOptions } from './http/transport.ts'

/** Who the token stands for. */
export type Caller = z.infer<typeof callerSchema>

type Groups = { readonly [Name in keyof typeof groups]: ReturnType<(typeof groups)[Name]> }
type Kinds = typeof kinds

/** The calls of each kind, as properties: `client.projects`. */
const Grouped = class {
  constructor(transport: Transport) {
    for (const [name, group] of Object.entries(groups)) Object.assign(this, { [name]: group(transport) })
  }
} as new (
  transport: Transport,
) => Groups

/** Hearth's HTTP interface, typed and checked by the contract. Every failure is a HearthError with the server's code. */
export class HearthClient extends Grouped {
  readonly #transport: Transport
  readonly url: string

  constructor(options: TransportOptions) {
    const transport = new Transport(options)
    super(transport)
    this.#transport = transport
    this.url = options.url
  }

  /** The calls that every kind has, for one that is known by its name alone. */
  resources<Name extends keyof Kinds>(name: Name) {
    const { path, schema } = kinds[name]
    return {
      ...collection<Kinds[Name]['schema'], object>(this.#transport, path, schema),
      delete: deletion(this.#transport, path),
      /** Only where the kind is explained; `not_found` for the others. */
      why: explaining(this.#transport, path),
    }
  }

  whoami(options: CallOptions = {}): Promise<Caller> {
    return this.#transport.json({ method: 'GET', path: '/v1/whoami', ...options }, callerSchema)
  }

  /** How much the organization and the caller may have at most, and have. */
  quotas(options: CallOptions = {}): Promise<QuotaUses> {
    return this.#transport.json({ method: 'GET', path: '/v1/quotas', ...options }, quotaUsesSchema)
  }

  /** How the control plane is reached over HTTPS, where it serves that itself. */
  secureAccess(options: CallOptions = {}): Promise<SecureAccess> {
    return this.#transport.json({ method: 'GET', path: '/v1/secure-access', ...options }, secureAccessSchema)
  }

  /** Makes a project and its warm pools be as declared; pools that are not declared any more are deleted. */
  apply(declaration: ProjectDeclarationInput, options: CallOptions = {}): Promise<ApplyResult> {
    return this.#transport.json(
      { method: 'POST', path: '/v1/apply', body: declaration, ...options },
      applyResultSchema,
    )
  }
}
