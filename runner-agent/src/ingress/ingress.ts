import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RunnerFacts } from '@hearth/contract'
import { systemClock, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { CaddyProcess } from './caddy/process.ts'
import { CustomDomains } from './domains/domains.ts'
import { lookAtDomain } from './domains/look.ts'
import { Gate } from './gate/gate.ts'
import { Sessions } from './gate/session.ts'
import { PortForwards } from './port-forwards.ts'
import { RouteFiles, type StoredRoute } from './route-file.ts'
import { RouteTable } from './route-table.ts'
import type { ServedRoute, Target } from './served-route.ts'
import { gateSocket, type IngressSettings, rootCertificate } from './settings.ts'
import { connectedAddresses, Traffic } from './traffic.ts'

const run = promisify(execFile)
const keyBytes = 32

export interface IngressWatcher {
  /** A request wants a machine that is off. */
  wanted(routeId: string): void
  /** A machine did not answer. */
  doubted(routeId: string): void
}

/** Everything that leads requests to the machines of this host: the proxy, what it asks, and the routes. */
export class Ingress {
  readonly table: RouteTable
  readonly files: RouteFiles
  private readonly caddy: CaddyProcess
  readonly forwards: PortForwards
  readonly domains: CustomDomains
  private readonly traffic: Traffic
  private gate: Gate | null = null
  private first: Promise<unknown> | null = null
  private fault: string | null = 'it is being started'
  private connected: ReadonlySet<string> = new Set()

  constructor(
    private readonly settings: IngressSettings,
    private readonly log: Logger,
    lookMilliseconds: number,
    now: () => number = () => performance.now(),
  ) {
    this.table = new RouteTable(now)
    this.traffic = new Traffic(now, lookMilliseconds)
    this.files = new RouteFiles(join(settings.folder, 'routes'))
    this.caddy = new CaddyProcess(settings)
    this.forwards = new PortForwards(settings.folder)
    this.domains = new CustomDomains(now, (domain, host) => lookAtDomain(domain, host, settings))
  }

  /** What the control plane is told of it; at first that waits for the proxy to be there. */
  async facts(): Promise<Pick<RunnerFacts, 'ingress' | 'ingressFault'>> {
    this.first ??= this.ensure()
    await this.first
    if (this.fault !== null) return { ingressFault: this.fault }
    const { base, https, authority } = this.settings
    const root = authority.kind === 'internal' ? { rootCertificate: rootCertificate(this.settings) } : {}
    return { ingress: { base, port: https.port, ...root } }
  }

  /** Opens the gate, and then sees to it that the proxy runs. The routes that are known are served from then on. */
  async open(watcher: IngressWatcher): Promise<void> {
    await mkdir(this.settings.folder, { recursive: true, mode: 0o700 })
    this.gate = new Gate({
      table: this.table,
      sessions: new Sessions(await this.key()),
      socket: gateSocket(this.settings),
      rootCertificate: rootCertificate(this.settings),
      httpsPort: this.settings.https.port,
      log: this.log,
      now: () => systemClock.now().getTime(),
      passed: ({ environmentId }) => this.traffic.note(environmentId),
      wanted: ({ id }) => watcher.wanted(id),
      doubted: ({ id }) => watcher.doubted(id),
    })
    await this.gate.open()
  }

  /** Starts a proxy that has ended; notes why it cannot be had. Resolves with whether that has changed. */
  async ensure(): Promise<boolean> {
    const before = this.fault
    try {
      await this.caddy.ensure()
      this.fault = null
    } catch (thrown) {
      this.fault = toError(thrown).message
    }
    if (before !== this.fault && this.fault !== null)
      this.log.warn({ fault: this.fault }, 'no routes are served')
    return before !== this.fault
  }

  /** Why no route can be served; null while they are. */
  get cause(): string | null {
    return this.fault
  }

  async serve(stored: StoredRoute, target: Target): Promise<void> {
    const { route } = stored
    const before = this.table.get(route.id)
    await this.files.write(stored)
    this.table.set({ ...route, refusedTokens: new Set(route.refusedTokens) }, target)
    this.domains.asked(route.id, stored.generation)
    if (before !== undefined && isNarrower(before.route, route)) await this.cut(route.id, before.target)
  }

  async withdraw(id: string): Promise<void> {
    const before = this.table.get(id)
    this.table.delete(id)
    await this.files.remove(id)
    if (before !== undefined) await this.cut(id, before.target)
    await this.forwards.close(id)
  }

  /** Whether requests use a machine: one came a moment ago, or a connection is open. */
  isUsed(environmentId: string): boolean {
    if (this.traffic.isUsed(environmentId)) return true
    for (const { route, target } of this.table.all())
      if (route.environmentId === environmentId && target.kind === 'on' && this.isOpen(route.id, target.dial))
        return true
    return false
  }

  private isOpen(routeId: string, dial: string): boolean {
    return this.connected.has(dial) || this.forwards.isUsed(routeId)
  }

  /** Resolves with the routes whose custom domains stand otherwise than before. */
  lookAtDomains(): Promise<string[]> {
    return this.domains.lookAtDue([...this.table.all()].map(({ route }) => route))
  }

  /** Looks which connections are open. */
  async look(): Promise<void> {
    this.traffic.keep(new Set([...this.table.all()].map(({ route }) => route.environmentId)))
    if (this.table.size > 0) this.connected = await openConnections()
  }

  /**
   * Closes the gate. The proxy stays while there is a route, so that connections last, and where another agent has opened a
   * gate of its own.
   */
  async close(): Promise<void> {
    const isLast = (await this.gate?.close()) === true
    this.gate = null
    await this.forwards.closeAll()
    if (!isLast) return
    if (this.settings.stopsWithAgent || (await this.files.all()).length === 0) await this.caddy.end()
  }

  /** Ends the connections that go to where a route led. Where the kernel cannot do that, all upgraded ones are. */
  private async cut(routeId: string, target: Target): Promise<void> {
    await this.forwards.cut(routeId)
    if (target.kind !== 'on' || target.dial.startsWith('unix/')) return
    const [host = '', port = ''] = target.dial.split(':')
    await run('ss', ['-K', '-t', 'dst', host, 'dport', '=', port]).catch(() => undefined)
    if (!(await openConnections()).has(target.dial)) return
    await this.caddy.cutAll().catch((thrown: unknown) => {
      this.log.warn({ error: toError(thrown) }, 'connections of a route that is gone cannot be ended')
    })
  }

  private async key(): Promise<Buffer> {
    const path = join(this.settings.folder, 'session.key')
    const known = await readFile(path).catch(() => null)
    if (known?.length === keyBytes) return known
    const key = randomBytes(keyBytes)
    await writeFile(path, key, { mode: 0o600 })
    return key
  }
}

const openConnections = async () =>
  connectedAddresses(await readFile('/proc/net/tcp', 'utf8').catch(() => ''))

/** Whether somebody who was let in before is not any more, or would be led elsewhere. */
function isNarrower(before: ServedRoute, after: StoredRoute['route']): boolean {
  return (
    before.access !== after.access ||
    before.port !== after.port ||
    before.environmentId !== after.environmentId ||
    (before.customDomain !== null && before.customDomain !== after.customDomain) ||
    before.tokenDigest !== after.tokenDigest ||
    after.refusedTokens.some((id) => !before.refusedTokens.has(id))
  )
}
