import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { assertNever, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { listenAt, type OwnedSocket } from '../owned-socket.ts'
import type { RouteTable } from '../route-table.ts'
import type { ServedRoute, Target } from '../served-route.ts'
import { type Judgement, judge, type ShownRequest } from './judge.ts'
import {
  asHtml,
  asText,
  gone,
  nobodyListens,
  noRoute,
  notLetIn,
  notWoken,
  type Page,
  waking,
} from './pages.ts'
import { type Session, type Sessions, setCookie } from './session.ts'

export interface GateOptions {
  table: RouteTable
  sessions: Sessions
  socket: string
  rootCertificate: string
  /** Where requests without TLS are sent on to. */
  httpsPort: number
  log: Logger
  /** Milliseconds since 1970. */
  now(): number
  /** A request went through to a machine. */
  passed(route: ServedRoute): void
  /** A request wants a machine that is off: the control plane is to be told. */
  wanted(route: ServedRoute): void
  /** A machine did not answer: how it is may be another than is known. */
  doubted(route: ServedRoute): void
}

/** The headers of a request, all of which it is shown, and those of the proxy. */
const headerBytes = 128 * 1024
/** Tickets that were used and have not ended. */
const mostUsed = 10_000

/** Tells the proxy, on a socket of the host, where each request goes. */
export class Gate {
  private server: Server | null = null
  private socket: OwnedSocket | null = null
  /** Tickets that were used, with when they end. */
  private readonly used = new Map<string, number>()

  constructor(private readonly options: GateOptions) {}

  async open(): Promise<void> {
    const server = createServer(
      { maxHeaderSize: headerBytes, keepAliveTimeout: 120_000 },
      (request, response) => {
        // What is asked has no body.
        request.resume()
        this.answer(request, response).catch((thrown: unknown) => {
          this.options.log.error({ error: toError(thrown) }, 'a request could not be judged')
          if (!response.headersSent) response.writeHead(500)
          response.end()
        })
      },
    )
    this.socket = await listenAt(server, this.options.socket)
    this.server = server
  }

  /** Resolves with whether nobody has taken its place. */
  async close(): Promise<boolean> {
    const { server, socket } = this
    const isLast = (await socket?.isOurs()) === true
    await socket?.release()
    server?.close()
    server?.closeAllConnections()
    this.server = null
    return isLast
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const said = (name: string) => text(request.headers[`x-hearth-${name}`])
    const host = said('host').toLowerCase()
    const [path = ''] = (request.url ?? '').split('?')
    if (path === '/root') return this.giveRoot(response)
    if (path === '/ask') {
      const asked = new URL(request.url ?? '', 'http://gate').searchParams.get('domain') ?? ''
      response.writeHead(this.options.table.byHost(asked.toLowerCase()) === undefined ? 404 : 200).end()
      return
    }
    const found = this.options.table.byHost(host)
    if (path === '/plain' && found !== undefined) {
      const { httpsPort } = this.options
      const location = `https://${host}${httpsPort === 443 ? '' : `:${httpsPort}`}${said('uri')}`
      response.writeHead(308, { location }).end()
      return
    }
    const shown: ShownRequest = {
      method: said('method'),
      uri: said('uri'),
      cookie: text(request.headers.cookie),
      authorization: text(request.headers.authorization),
    }
    const wantsHtml = text(request.headers.accept).includes('text/html')
    if (found === undefined) send(response, noRoute, shown, wantsHtml)
    else if (path === '/failed') this.answerFailed(found, shown, wantsHtml, response)
    else this.check(found, shown, wantsHtml, response)
  }

  private check(
    { route, target }: { route: ServedRoute; target: Target },
    shown: ShownRequest,
    wantsHtml: boolean,
    response: ServerResponse,
  ): void {
    const { sessions } = this.options
    const now = Math.floor(this.options.now() / 1000)
    const judgement = judge(route, shown, sessions, now)
    switch (judgement.do) {
      case 'refuse':
        send(response, notLetIn(route, judgement.status, judgement.because), shown, wantsHtml)
        break
      case 'keep':
        this.letIn(response, judgement.session, judgement.location, now)
        break
      case 'enter': {
        const { id, tokenId, expiresAt, sessionEndsAt: endsAt } = judgement.ticket
        const session: Session = { routeId: route.id, by: { kind: 'ticket', tokenId }, endsAt }
        if (this.takeTicket(id, expiresAt, now)) this.letIn(response, session, '/', now)
        else send(response, notLetIn(route, 403, 'ticket'), shown, wantsHtml)
        break
      }
      case 'pass':
        if (target.kind === 'on') this.pass(response, route, target.dial, judgement)
        else send(response, this.pageOf(route, target), shown, wantsHtml)
        break
      default:
        assertNever(judgement)
    }
  }

  private pass(
    response: ServerResponse,
    route: ServedRoute,
    dial: string,
    { cookie, dropsCookie, dropsAuthorization }: Extract<Judgement, { do: 'pass' }>,
  ): void {
    this.options.passed(route)
    response.writeHead(200, {
      'X-Hearth-Upstream': dial,
      ...(cookie === '' ? {} : { 'X-Hearth-Cookie': cookie }),
      ...(dropsCookie ? { 'X-Hearth-Drop-Cookie': '1' } : {}),
      ...(dropsAuthorization ? { 'X-Hearth-Drop-Authorization': '1' } : {}),
    })
    response.end()
  }

  /** The proxy did not get an answer of the machine, or refuses the request itself. */
  private answerFailed(
    { route, target }: { route: ServedRoute; target: Target },
    shown: ShownRequest,
    wantsHtml: boolean,
    response: ServerResponse,
  ): void {
    this.options.doubted(route)
    const page =
      target.kind !== 'on'
        ? this.pageOf(route, target)
        : this.options.table.isSettling(route.id)
          ? waking(route, 'settles')
          : nobodyListens(route)
    send(response, page, shown, wantsHtml)
  }

  private pageOf(route: ServedRoute, target: Exclude<Target, { kind: 'on' }>): Page {
    if (target.kind === 'gone') return gone(route, target.because)
    const woken = this.options.table.wake(route.id)
    if (woken.kind === 'failed') return notWoken(route, woken.because)
    if (woken.kind === 'asked') this.options.wanted(route)
    return waking(route, 'starts')
  }

  private letIn(response: ServerResponse, session: Session, location: string, now: number): void {
    response.writeHead(303, {
      location,
      'set-cookie': setCookie(this.options.sessions.sign(session), session.endsAt - now),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    response.end()
  }

  /** Whether a ticket was not used before. */
  private takeTicket(id: string, expiresAt: number, now: number): boolean {
    for (const [other, ends] of this.used) if (ends <= now) this.used.delete(other)
    if (this.used.has(id) || this.used.size >= mostUsed) return false
    this.used.set(id, expiresAt)
    return true
  }

  private async giveRoot(response: ServerResponse): Promise<void> {
    const certificate = await readFile(this.options.rootCertificate).catch(() => null)
    if (certificate === null) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no authority of its own signs here\n')
      return
    }
    response.writeHead(200, {
      'content-type': 'application/x-x509-ca-cert',
      'content-disposition': 'attachment; filename="hearth-root.crt"',
    })
    response.end(certificate)
  }
}

function text(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join('; ') : (header ?? '')
}

function send(response: ServerResponse, page: Page, { method }: ShownRequest, wantsHtml: boolean): void {
  const isRead = method === 'GET' || method === 'HEAD'
  response.writeHead(page.status, {
    'content-type': wantsHtml ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    ...(page.retrySeconds === null ? {} : { 'retry-after': String(page.retrySeconds) }),
    ...(page.status === 401 ? { 'www-authenticate': 'Bearer realm="hearth"' } : {}),
  })
  response.end(wantsHtml ? asHtml(page, isRead) : asText(page))
}
