import type { DescMethod, Message } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt'
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type Interceptor,
} from '@connectrpc/connect'
import type { UniversalHandler } from '@connectrpc/connect/protocol'
import type { Role } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { administrators, type Caller, readers, writers } from '../../../api/caller.ts'
import { mostBodyBytes } from '../../../api/limited-body.ts'
import { validate } from '../../../api/validation.ts'
import { ruleOf } from '../rules/index.ts'
import { callKey } from './call.ts'
import { connectErrorOf } from './error.ts'
import { gzipCompression } from './gzip.ts'

const longestMilliseconds = 24 * 3_600_000

/** The methods that are added, by their paths. */
export function createHandlers(
  shutdownSignal: AbortSignal,
  add: (router: ConnectRouter) => void,
): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    readMaxBytes: mostBodyBytes,
    maxTimeoutMs: longestMilliseconds,
    acceptCompression: [gzipCompression],
    interceptors: [guard],
    shutdownSignal,
  })
  add(router)
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]))
}

/** Who may call a method, what it may be sent, and how its errors are worded: the same for all. */
const guard: Interceptor = (next) => async (request) => {
  const call = request.contextValues.get(callKey)
  if (call === null) throw new ConnectError('send a valid token', Code.Unauthenticated)
  try {
    authorize(call.caller, request.method)
    if (!request.stream) {
      check(request.message)
      return await next(request)
    }
    return await next({ ...request, message: checked(request.message) })
  } catch (thrown) {
    const error = connectErrorOf(thrown)
    if (error.code === Code.Internal)
      call.services.log.error({ err: toError(thrown), method: request.method.name }, 'request failed')
    throw error
  }
}

function check(message: Message): void {
  const rule = ruleOf(message.$typeName)
  if (rule !== undefined) validate(rule, message, 'body')
}

/** A stream's request is read when its method runs, beyond the reach of whoever began it. */
async function* checked(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
  for await (const message of messages) {
    try {
      check(message)
    } catch (thrown) {
      throw connectErrorOf(thrown)
    }
    yield message
  }
}

function authorize(caller: Caller, method: DescMethod): void {
  const roles = rolesFor(method)
  if (roles.some((role) => caller.roles.includes(role))) return
  throw new ConnectError(
    `${method.name} needs the role ${roles.join(' or ')}; the token has ${caller.roles.join(', ')}`,
    Code.PermissionDenied,
  )
}

/** Of what is everybody's: as the native routes have it. */
const administrative = new Set([
  'CreateRunner',
  'UpdateRunner',
  'DeleteRunner',
  'CreateRunnerToken',
  'CreateEnvironmentClass',
  'UpdateEnvironmentClass',
])

function rolesFor(method: DescMethod): readonly Role[] {
  if (administrative.has(method.name)) return administrators
  return isRead(method) ? readers : writers
}

/** A stream of events only reads, though its description does not say so. */
const isRead = ({ idempotency, methodKind }: DescMethod) =>
  idempotency === Idempotency.NO_SIDE_EFFECTS || methodKind === 'server_streaming'
