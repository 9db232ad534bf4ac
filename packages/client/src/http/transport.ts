import { HearthError, newId, toError } from '@hearth/foundation'
import type { RetryPolicy } from 'cockatiel'
import type { z } from 'zod'
import { errorOfResponse } from './error-response.ts'
import { retrying } from './retrying.ts'

export interface TransportOptions {
  /** Where the control plane listens, for example `http://127.0.0.1:7070`. */
  url: string
  /** Sent as a bearer token. */
  token?: string | undefined
  /** How often a call that did not get through is tried again; 4 unless told. */
  retries?: number
  /** How long one try waits for its answer; 30,000 unless told. */
  timeoutMilliseconds?: number
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  /** POST only: repeats with one key are one call. Made for each call unless given. */
  idempotencyKey?: string | undefined
  /** PATCH and DELETE: the specVersion this is based on; a stale one is refused with `stale_version`. */
  specVersion?: number | undefined
}

export interface Request extends CallOptions {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined
  body?: unknown
  headers?: Readonly<Record<string, string>>
  /** On top of the transport's own time, for long polls. */
  extraMilliseconds?: number
}

/** Sends requests and gives back checked answers or a HearthError; network errors have the code `unavailable`. */
export class Transport {
  readonly #options: TransportOptions
  readonly #base: string
  readonly #retrying: RetryPolicy

  constructor(options: TransportOptions) {
    this.#options = options
    this.#base = options.url.replace(/\/+$/, '')
    this.#retrying = retrying(options.retries ?? 4)
  }

  /** The answer's body, held to the schema. PATCH is sent once; all else is safe to repeat and is repeated. */
  async json<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.output<Schema>> {
    const body = await this.#text(request)
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch (cause) {
      throw this.#notHearth(request, cause)
    }
    const parsed = schema.safeParse(value)
    if (!parsed.success) throw this.#notHearth(request, parsed.error)
    return parsed.data
  }

  /** For answers without a body that matters. */
  async send(request: Request): Promise<void> {
    await this.#text(request)
  }

  /** An open answer of server-sent events; the caller reads the body and ends it with the signal. */
  async open(request: Request): Promise<Response> {
    const response = await this.#fetch(request, request.signal)
    if (response.ok) return response
    throw errorOfResponse(response.status, await response.text())
  }

  async #text(request: Request): Promise<string> {
    const sent: Request =
      request.method === 'POST' ? { ...request, idempotencyKey: request.idempotencyKey ?? newId() } : request
    const once = async (): Promise<string> => {
      const milliseconds = (this.#options.timeoutMilliseconds ?? 30_000) + (request.extraMilliseconds ?? 0)
      const timeout = AbortSignal.timeout(milliseconds)
      const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout])
      const response = await this.#fetch(sent, signal)
      const text = await response.text().catch((cause: unknown) => {
        throw this.#unanswered(request, cause)
      })
      if (response.ok) return text
      throw errorOfResponse(response.status, text)
    }
    return request.method === 'PATCH' ? await once() : await this.#retrying.execute(once, request.signal)
  }

  async #fetch(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await fetch(this.#address(request), {
        method: request.method,
        headers: this.#headers(request),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (cause) {
      throw this.#unanswered(request, cause)
    }
  }

  #address(request: Request): string {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) query.set(name, String(value))
    }
    return `${this.#base}${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`
  }

  #headers(request: Request): Record<string, string> {
    return {
      accept: 'application/json',
      ...(this.#options.token === undefined ? {} : { authorization: `Bearer ${this.#options.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
      ...(request.specVersion === undefined ? {} : { 'if-match': `"${request.specVersion}"` }),
      ...request.headers,
    }
  }

  #unanswered(request: Request, cause: unknown): unknown {
    if (request.signal?.aborted === true) return request.signal.reason
    const error = toError(cause)
    const why = error.name === 'TimeoutError' ? 'no answer in time' : networkCause(error)
    return new HearthError('unavailable', `${this.#base} does not answer: ${why}`, {
      cause,
      facts: { url: this.#base, method: request.method, path: request.path },
    })
  }

  #notHearth(request: Request, cause: unknown): HearthError {
    return new HearthError(
      'internal',
      `${this.#base} answered ${request.method} ${request.path} with something this version does not understand`,
      { cause, privateDetail: toError(cause).message, facts: { url: this.#base } },
    )
  }
}

/** fetch hides the reason one level down, and for a host with several addresses two. */
function networkCause(error: Error): string {
  const cause = error.cause
  if (cause instanceof AggregateError) return toError(cause.errors[0]).message
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
