import { Deadline, HearthError, newId, toError } from '@hearth/foundation'
import type { RetryPolicy } from 'cockatiel'
import type { WebSocket } from 'ws'
import type { z } from 'zod'
import { Addresses } from './addresses.ts'
import { errorOfResponse } from './error-response.ts'
import { isRateLimited, isUnavailable, isUnreached, networkCause, retrying } from './retrying.ts'
import { openWebSocket } from './web-socket.ts'

export interface TransportOptions {
  /**
   * Where the control plane listens, for example `http://127.0.0.1:7070`; several of one installation with commas
   * between them. When one does not answer, or says that it is not available, the next is asked at once.
   */
  url: string
  /** Sent as a bearer token. */
  token?: string | undefined
  /** What the control plane shows as the client; `hearth-client` by default. */
  userAgent?: string
  /** How often a failed call is repeated; 4 by default. */
  retries?: number
  /** How long one try waits for its answer, in milliseconds: 30,000 by default, 10,000 with several control planes. */
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
  /** Added to the transport's time limit, for long polls. */
  extraMilliseconds?: number
}

/** Sends requests and gives back checked answers or a HearthError; network errors have the code `unavailable`. */
export class Transport {
  readonly #options: TransportOptions
  readonly #addresses: Addresses
  readonly #retrying: RetryPolicy
  readonly #retryingRefused: RetryPolicy

  constructor(options: TransportOptions) {
    this.#options = options
    this.#addresses = new Addresses(options.url)
    this.#retrying = retrying(options.retries ?? 4)
    this.#retryingRefused = retrying(options.retries ?? 4, isRateLimited)
  }

  /**
   * The answer's body, checked by the schema. All requests are repeated when they fail, since repeating them is safe, but
   * PATCH only when no connection could be made or it was refused by a rate limit.
   */
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

  /** Sends a body piece by piece, once: what has been read of it cannot be sent again. */
  async upload<Schema extends z.ZodType>(
    request: Omit<Request, 'body'>,
    body: ReadableStream<Uint8Array>,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const base = this.#addresses.current
    let response: Response
    try {
      response = await fetch(addressOf(base, request), {
        method: request.method,
        headers: this.#headers(request),
        body,
        duplex: 'half',
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      } as RequestInit)
    } catch (cause) {
      throw this.#unanswered(base, request, cause)
    }
    const text = await response.text()
    if (!response.ok) throw errorOfResponse(response.status, text)
    const parsed = schema.safeParse(JSON.parse(text))
    if (!parsed.success) throw this.#notHearth(request, parsed.error)
    return parsed.data
  }

  /** For requests whose answer's body is not needed. */
  async send(request: Request): Promise<void> {
    await this.#text(request)
  }

  /** An open answer of server-sent events; the caller reads the body and ends it with the signal. */
  async open(request: Request): Promise<Response> {
    return this.#anywhere(isUnavailable, async (base) => {
      const response = await this.#fetch(base, request, request.signal)
      if (response.ok) return response
      throw errorOfResponse(response.status, await response.text())
    })
  }

  /** An open WebSocket, paused; the caller reads it and ends it. */
  async openWebSocket(request: Request): Promise<WebSocket> {
    return this.#anywhere(isUnavailable, async (base) => {
      try {
        return await openWebSocket(addressOf(base, request), this.#headers(request), request.signal)
      } catch (cause) {
        throw cause instanceof HearthError ? cause : this.#unanswered(base, request, cause)
      }
    })
  }

  async #text(request: Request): Promise<string> {
    const sent: Request =
      request.method === 'POST' ? { ...request, idempotencyKey: request.idempotencyKey ?? newId() } : request
    const once = async (base: string): Promise<string> => {
      const patience = this.#options.timeoutMilliseconds ?? (this.#addresses.count > 1 ? 10_000 : 30_000)
      const milliseconds = patience + (request.extraMilliseconds ?? 0)
      using deadline = new Deadline(milliseconds, ...(request.signal === undefined ? [] : [request.signal]))
      const response = await this.#fetch(base, sent, deadline.signal)
      const text = await response.text().catch((cause: unknown) => {
        throw this.#unanswered(base, request, cause)
      })
      if (response.ok) return text
      throw errorOfResponse(response.status, text)
    }
    if (request.method === 'PATCH')
      return await this.#retryingRefused.execute(() => this.#anywhere(isUnreached, once), request.signal)
    return await this.#retrying.execute(() => this.#anywhere(isUnavailable, once), request.signal)
  }

  /** Asks the control planes one after another, each at most once, while `mayMoveOn` lets the failure pass. */
  async #anywhere<Answer>(
    mayMoveOn: (error: unknown) => boolean,
    ask: (base: string) => Promise<Answer>,
  ): Promise<Answer> {
    for (let left = this.#addresses.count; ; left -= 1) {
      const base = this.#addresses.current
      try {
        return await ask(base)
      } catch (error) {
        if (isUnavailable(error)) this.#addresses.turnFrom(base)
        if (left <= 1 || !mayMoveOn(error)) throw error
      }
    }
  }

  async #fetch(base: string, request: Request, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await fetch(addressOf(base, request), {
        method: request.method,
        headers: this.#headers(request),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (cause) {
      throw this.#unanswered(base, request, cause)
    }
  }

  #headers(request: Request): Record<string, string> {
    return {
      accept: 'application/json',
      'user-agent': this.#options.userAgent ?? 'hearth-client',
      ...(this.#options.token === undefined ? {} : { authorization: `Bearer ${this.#options.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
      ...(request.specVersion === undefined ? {} : { 'if-match': `"${request.specVersion}"` }),
      ...request.headers,
    }
  }

  #unanswered(base: string, request: Request, cause: unknown): unknown {
    if (request.signal?.aborted === true) return request.signal.reason
    const error = toError(cause)
    const why = networkCause(error).message
    return new HearthError('unavailable', `${base} does not answer: ${why}`, {
      cause,
      facts: { url: base, method: request.method, path: request.path },
    })
  }

  #notHearth(request: Request, cause: unknown): HearthError {
    const base = this.#addresses.current
    return new HearthError(
      'internal',
      `${base} answered ${request.method} ${request.path} with something this version does not understand`,
      { cause, privateDetail: toError(cause).message, facts: { url: base } },
    )
  }
}

function addressOf(base: string, request: Request): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) query.set(name, String(value))
  }
  return `${base}${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`
}
