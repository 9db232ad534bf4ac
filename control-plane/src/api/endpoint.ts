import { errorBodySchema, type Role } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Answer } from '../database/idempotency-key.ts'
import type { Application, ApplicationEnvironment } from './application.ts'
import type { Caller } from './caller.ts'
import { parseJson } from './json-body.ts'
import { answerOf, type Perform, performFor, type Reply, type Success } from './perform.ts'
import type { Services } from './services.ts'
import { shownValue } from './shown-value.ts'
import { validate } from './validation.ts'

/** How a route's error responses are documented. */
export interface ErrorDescription {
  schema: z.ZodType
  /** Statuses that every route may answer with, and what each means. */
  statuses: Readonly<Record<number, string>>
}

const nativeErrors: ErrorDescription = {
  schema: errorBodySchema,
  statuses: {
    400: 'A value is wrong: the message says which, what it must be, and what was given',
    401: 'No valid token',
    403: 'Not allowed, or a quota is used up',
    404: 'Not found',
    409: 'Conflict',
    413: 'Too large',
    503: 'Not available at the moment: try again after `Retry-After` seconds',
    429: 'Too many at a time: again after `Retry-After` seconds',
  },
}

const none = z.strictObject({})
const versionPattern = /^(?:W\/)?"?(\d{1,9})"?$/
const ifMatch = z.string().regex(versionPattern).optional().meta({
  description: 'The specVersion this is based on, as in "3": with another one nothing is changed (409)',
})
/** Printable ASCII. */
const keyPattern = /^[\x20-\x7e]{1,255}$/
const idempotencyKeyHeader = z.string().regex(keyPattern).optional().meta({
  description: 'Repeats under one key get the first answer, for 24 hours',
})
const requestHeaders = {
  post: z.object({ 'Idempotency-Key': idempotencyKeyHeader, 'If-Match': ifMatch }),
  put: z.object({ 'If-Match': ifMatch }),
  patch: z.object({ 'If-Match': ifMatch }),
  delete: z.object({ 'If-Match': ifMatch }),
}

export interface EndpointRequest<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  caller: Caller
  context: Context<ApplicationEnvironment>
  /** Runs a command in one transaction, for a POST once per `Idempotency-Key`, and answers with its outcome. */
  perform: Perform
}

export interface Endpoint<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As in OpenAPI: `/v1/projects/{id}`. */
  path: string
  tag: string
  summary: string
  /** Roles of which the caller needs one; empty lets every authenticated caller in. */
  roles: readonly Role[]
  params?: Params
  query?: Query
  body?: Body
  /** Types of a body that the handler reads by itself, piece by piece. */
  upload?: readonly string[]
  answer: { status: Success; schema: z.ZodType; description: string; mediaType?: string }
  /** Statuses beside those that every route may answer with, and what each means. */
  refusals?: Readonly<Record<number, string>>
  handle(
    request: EndpointRequest<z.output<Params>, z.output<Query>, z.output<Body>>,
  ): Promise<Reply | Answer | Response>
}

/** Adds a route and its OpenAPI description from one declaration: what validates is what is documented. */
export function addEndpoint<
  Params extends z.ZodObject = typeof none,
  Query extends z.ZodObject = typeof none,
  Body extends z.ZodType = typeof none,
>(
  application: Application,
  services: Services,
  endpoint: Endpoint<Params, Query, Body>,
  errors: ErrorDescription = nativeErrors,
): void {
  const params = endpoint.params ?? none
  const query = endpoint.query ?? none
  const body = endpoint.body
  const route = describe(endpoint, params, query, errors)
  application.openAPIRegistry.registerPath(route)
  application.on(endpoint.method.toUpperCase(), route.getRoutingPath(), async (context) => {
    const caller = context.get('caller')
    authorize(caller, endpoint.roles)
    const text = body === undefined ? '' : await context.req.text()
    const name = `${endpoint.method.toUpperCase()} ${endpoint.path}`
    services.eventLoop.note(name)
    const based = expectedVersion(context.req.header('If-Match'))
    const request = {
      params: validate(params, context.req.param(), 'path') as z.output<Params>,
      query: validate(query, context.req.query(), 'query') as z.output<Query>,
      body: (body === undefined ? {} : validate(body, parseJson(text), 'body')) as z.output<Body>,
      caller,
      context,
      perform: performFor(services, {
        caller,
        expectedVersion: based,
        signal: context.req.raw.signal,
        sentBytes: text.length,
        key:
          endpoint.method === 'post'
            ? {
                organizationId: caller.organizationId,
                key: idempotencyKey(context.req.header('Idempotency-Key')),
                principalId: caller.principalId,
                request: `${endpoint.method} ${context.req.path}${new URL(context.req.url).search} ${text}`,
              }
            : null,
      }),
    }
    const result = await endpoint.handle(request)
    services.eventLoop.note(name)
    if (result instanceof Response) return result
    const { body: sent, status } = answerOf(result)
    return context.body(sent, status, { 'Content-Type': 'application/json' })
  })
}

function describe(
  endpoint: Endpoint<z.ZodType, z.ZodType, z.ZodType>,
  params: z.ZodObject,
  query: z.ZodObject,
  errors: ErrorDescription,
) {
  const { answer, body, upload } = endpoint
  const content =
    body === undefined
      ? Object.fromEntries(
          (upload ?? []).map((type) => [type, { schema: { type: 'string', format: 'binary' } as const }]),
        )
      : { 'application/json': { schema: body } }
  const refusals = {
    ...(endpoint.method === 'post'
      ? {
          422: 'The Idempotency-Key was used for another request, or what was asked for does not go together',
        }
      : {}),
    ...errors.statuses,
    ...endpoint.refusals,
  }
  return createRoute({
    method: endpoint.method,
    path: endpoint.path,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    security: [{ bearer: [] }],
    // The roles of which a token needs one; empty where every known token will do.
    'x-roles': [...endpoint.roles],
    request: {
      params,
      query,
      ...(endpoint.method === 'get' ? {} : { headers: requestHeaders[endpoint.method] }),
      ...(Object.keys(content).length === 0 ? {} : { body: { required: true, content } }),
    },
    responses: {
      [answer.status]: {
        description: answer.description,
        content: { [answer.mediaType ?? 'application/json']: { schema: answer.schema } },
      },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, description]) => [
          status,
          { description, content: { 'application/json': { schema: errors.schema } } },
        ]),
      ),
    },
  })
}

function authorize(caller: Caller, roles: readonly Role[]): void {
  if (roles.length === 0 || roles.some((role) => caller.roles.includes(role))) return
  throw new HearthError(
    'forbidden',
    `this needs the role ${roles.join(' or ')}; the token has ${caller.roles.join(', ')}`,
  )
}

function expectedVersion(header: string | undefined): number | null {
  if (header === undefined) return null
  const version = versionPattern.exec(header.trim())?.[1]
  if (version !== undefined) return Number(version)
  throw invalidValue({
    field: 'header.If-Match',
    given: shownValue(header, []),
    expected: 'a specVersion, as in "3"',
  })
}

function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null
  if (keyPattern.test(header)) return header
  throw invalidValue({
    field: 'header.Idempotency-Key',
    given: shownValue(header, []),
    expected: '1 to 255 printable ASCII characters',
  })
}
