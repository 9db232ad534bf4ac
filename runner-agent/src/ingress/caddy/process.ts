import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson, toError } from '@hearth/foundation'
import { adminSocket, gateSocket, type IngressSettings, mostSocketPath } from '../settings.ts'
import { askCaddy, NotThere } from './admin.ts'
import { askPortOf } from './ask-port.ts'
import { caddyConfig } from './config.ts'
import { lastLines } from './last-lines.ts'

const startMilliseconds = 15_000
const endMilliseconds = 10_000
const lookMilliseconds = 50

/**
 * Sockets and keys are for its own user alone, and nothing is written outside its folder. Of root's rights it keeps the one to
 * listen on low ports, unless it would not get to its folder then.
 */
const launch = `
umask 077
export HOME="$1" XDG_DATA_HOME="$1" XDG_CONFIG_HOME="$1"
shift
lessened() {
  setpriv --no-new-privs --inh-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service "$@"
}
command -v -- "$1" >/dev/null || exit 127
if [ "$(id -u)" = 0 ] && lessened test -w "$HOME" 2>/dev/null; then
  exec setpriv --no-new-privs --inh-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service "$@"
fi
exec "$@"
`

/** The proxy cannot be had; the message says why, and what to do. */
export class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused'
}

/**
 * The agent's own Caddy: found by its socket where one runs, which an agent before this one may have started, and started
 * where none does. It outlives the agent.
 */
export class CaddyProcess {
  private readonly socket: string
  private config: string | null = null

  constructor(private readonly settings: IngressSettings) {
    this.socket = adminSocket(settings)
  }

  /** Resolves when Caddy runs with the present configuration. Throws ProxyRefused. */
  async ensure(): Promise<void> {
    for (const path of [this.socket, gateSocket(this.settings)])
      if (Buffer.byteLength(path) > mostSocketPath)
        throw new ProxyRefused(
          `the path of the socket ${path} is too long: choose a shorter HEARTH_AGENT_STATE`,
        )
    try {
      const config = await this.configured()
      const running = await askCaddy(this.socket, { method: 'GET', path: '/config/' })
      if (canonicalJson(JSON.parse(running)) !== config) await this.load()
    } catch (thrown) {
      if (!(thrown instanceof NotThere)) throw refusedBy(thrown)
      await this.start()
    }
  }

  /** Ends all upgraded connections, of all routes, and goes on as before. */
  async cutAll(): Promise<void> {
    await this.load({ 'cache-control': 'must-revalidate' })
  }

  /** Ends it, where it runs; resolves when it is gone. */
  async end(): Promise<void> {
    const deadline = performance.now() + endMilliseconds
    for (let path = '/stop'; performance.now() < deadline; path = '/config/') {
      const method = path === '/stop' ? 'POST' : 'GET'
      const isGone = await askCaddy(this.socket, { method, path }).then(
        () => false,
        (thrown: unknown) => thrown instanceof NotThere,
      )
      if (isGone) return
      await delay(lookMilliseconds)
    }
  }

  private async configured(): Promise<string> {
    this.config ??= canonicalJson(caddyConfig(this.settings, await askPortOf(this.settings)))
    return this.config
  }

  private async load(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await askCaddy(this.socket, { method: 'POST', path: '/load', body: await this.configured(), headers })
  }

  private async start(): Promise<void> {
    const { folder, program } = this.settings
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await rm(this.socket, { force: true })
    const configPath = join(folder, 'caddy.json')
    const logPath = join(folder, 'caddy.log')
    await writeFile(configPath, await this.configured(), { mode: 0o600 })
    const log = await open(logPath, 'w', 0o600)
    const child = spawn('sh', ['-c', launch, 'sh', folder, program, 'run', '--config', configPath], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    child.unref()
    const ended = once(child, 'exit').then(([code]) => code as number | null)
    try {
      await this.untilAnswers(ended, logPath)
    } finally {
      await log.close()
    }
  }

  private async untilAnswers(ended: Promise<number | null>, logPath: string): Promise<void> {
    const { program } = this.settings
    let exit: { code: number | null } | null = null
    ended.then(
      (code) => {
        exit = { code }
      },
      () => {
        exit = { code: null }
      },
    )
    const deadline = performance.now() + startMilliseconds
    while (performance.now() < deadline) {
      const isThere = await askCaddy(this.socket, { method: 'GET', path: '/config/' }).then(
        () => true,
        () => false,
      )
      if (isThere) return
      const left = exit as { code: number | null } | null
      if (left?.code === 127) throw new ProxyRefused(`${program} is not installed: apt-get install caddy`)
      if (left !== null) throw new ProxyRefused(`${program} does not start: ${await lastLines(logPath)}`)
      await delay(lookMilliseconds)
    }
    throw new ProxyRefused(`${program} does not answer on ${this.socket}: ${await lastLines(logPath)}`)
  }
}

function refusedBy(thrown: unknown): ProxyRefused {
  return new ProxyRefused(`the proxy does not take its configuration: ${toError(thrown).message}`)
}
