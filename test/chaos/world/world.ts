import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerCreated } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { endCaddy } from '../../system/end-caddy.ts'
import type { Break, Start } from '../children/messages.ts'
import { machineMebibytes, type Plan } from '../plan/plan.ts'
import type { Api } from '../users/api.ts'
import { Link } from './link.ts'
import type { Installation, Slot } from './slot.ts'
import { Supervised } from './supervised.ts'

/** One host of a run: its agents and their links to the servers. */
export interface Host {
  runnerId: string
  stateFolder: string
  agents: Supervised[]
  http: Link
  nats: Link
  stepsTwice: boolean
  /** How many machines of the class `small` it has room for. */
  machinesPerRunner: number
  /** Where its agent serves layers. */
  layersPort: number
  /** Where its proxy serves routes. */
  routesPort: number
}

/** All processes of one run and the networks between them. */
export class World {
  readonly controlPlanes: Supervised[] = []
  readonly hosts: Host[] = []
  readonly natsLinks: Link[] = []
  broken = false
  private lastOfMany: Promise<void> = Promise.resolve()

  private constructor(
    readonly slot: Slot,
    readonly installation: Installation,
    /** The address at which users reach whichever control plane answers. */
    readonly front: Link,
    private readonly options: { break: Break | null; logLevel: string },
  ) {}

  static async open(slot: Slot, options: { break: Break | null; logLevel: string }): Promise<World> {
    const installation = await slot.installation()
    // The changed statement alone would not be enough: a unique index forbids the same.
    if (options.break === 'double-claim') await installation.change('DROP INDEX claims_environment')
    const world: { made?: World } = {}
    const front = await Link.open(() => world.made?.answeringPort() ?? null)
    world.made = new World(slot, installation, front, options)
    await world.made.addControlPlane()
    return world.made
  }

  get url(): string {
    return `http://127.0.0.1:${this.front.port}`
  }

  get programs(): Supervised[] {
    return [...this.controlPlanes, ...this.hosts.flatMap(({ agents }) => agents)]
  }

  /** How often a process died. */
  get deaths(): number {
    return this.programs.reduce((sum, { deaths }) => sum + deaths, 0)
  }

  async addControlPlane(): Promise<void> {
    const link = await Link.open(() => this.slot.natsPort)
    this.natsLinks.push(link)
    const environment = {
      ...this.installation.environment(link.port),
      HEARTH_LOG_LEVEL: this.options.logLevel,
    }
    const name = `control-plane-${this.controlPlanes.length + 1}`
    this.controlPlanes.push(this.supervise('control-plane', name, { environment, natsServer: null }))
  }

  /** Creates the runners and starts an agent for each. */
  async addHosts(
    api: Api,
    plan: Pick<Plan, 'runners' | 'machinesPerRunner'>,
    twice: ReadonlySet<number>,
  ): Promise<void> {
    await Promise.all(
      [...Array(plan.runners).keys()].map(async (index) => {
        const name = `host-${index + 1}`
        const { runner, token } = await api.want<RunnerCreated>('POST', '/v1/runners', {
          name,
          labels: {},
          spec: {},
        })
        const stateFolder = join(this.installation.folder, name)
        const [http, nats, layersPort, routesPort] = await Promise.all([
          Link.open(() => this.answeringPort()),
          Link.open(() => this.slot.natsPort),
          freePort(),
          freePort(),
        ])
        await mkdir(stateFolder)
        const identity = { url: `http://127.0.0.1:${http.port}`, runnerId: runner.metadata.id, token }
        await writeFile(join(stateFolder, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
        const runnerId = runner.metadata.id
        const stepsTwice = twice.has(index)
        const { machinesPerRunner } = plan
        const host: Host = {
          ...{ runnerId, stateFolder, agents: [], http, nats, stepsTwice, layersPort, machinesPerRunner },
          routesPort,
        }
        this.hosts[index] = host
        this.addAgent(host)
      }),
    )
  }

  addAgent(host: Host): void {
    const environment = {
      HEARTH_AGENT_STATE: host.stateFolder,
      HEARTH_AGENT_HOST: 'synthetic',
      HEARTH_CAPACITY_MEMORY_MEBIBYTES: String(host.machinesPerRunner * machineMebibytes),
      HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '10',
      HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '60',
      HEARTH_SYNTHETIC_STEP_MILLISECONDS: '30',
      HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '30',
      HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '30',
      HEARTH_SYNTHETIC_READ_MILLISECONDS: '100',
      HEARTH_DISK_RESERVE_GIBIBYTES: '0',
      HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
      HEARTH_INGRESS_LISTEN: `127.0.0.1:${host.routesPort}`,
      HEARTH_INGRESS_HTTP_LISTEN: 'none',
      HEARTH_LAYERS_ADDRESS: `127.0.0.1:${host.layersPort}`,
      HEARTH_LOG_LEVEL: this.options.logLevel,
    }
    const name = `agent-${this.hosts.indexOf(host) + 1}-${host.agents.length + 1}`
    const natsServer = `nats://127.0.0.1:${host.nats.port}`
    const { stepsTwice } = host
    host.agents.push(this.supervise('runner-agent', name, { environment, natsServer, stepsTwice }))
  }

  /** Resolves when a control plane answers. */
  async ready(): Promise<void> {
    await eventually(async () => (await fetch(`${this.url}/healthz/ready`)).ok, {
      timeoutMilliseconds: 90_000,
    })
  }

  /** Connects as the control plane does, but without the links; waits for a server that is down or going down. */
  async connectNats(): Promise<NatsConnection> {
    const credentials = new TextEncoder().encode(this.slot.nats.controlPlaneCredentials)
    const options = {
      servers: this.slot.nats.url,
      authenticator: credsAuthenticator(credentials),
      name: 'chaos',
      timeout: 2_000,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
    }
    const { connection } = await eventually(async () => ({ connection: await connect(options) }), {
      timeoutMilliseconds: 30_000,
      intervalMilliseconds: 50,
    })
    return connection
  }

  /** For faults that must not overlap. */
  oneAfterAnother(work: () => Promise<void>): Promise<void> {
    const done = this.lastOfMany.then(work)
    this.lastOfMany = done.catch(() => undefined)
    return done
  }

  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.end()))
    for (const link of [this.front, ...this.natsLinks]) link.close()
    await Promise.all(this.hosts.map(({ stateFolder }) => endCaddy(stateFolder)))
    for (const { http, nats } of this.hosts) {
      http.close()
      nats.close()
    }
    await this.installation.removeDatabase()
  }

  /** The answering control planes in turn. */
  private answeringPort(): number | null {
    const ports = this.controlPlanes.flatMap(({ port }) => port ?? [])
    this.turn += 1
    return ports[this.turn % Math.max(1, ports.length)] ?? null
  }
  private turn = 0

  private supervise(
    program: 'control-plane' | 'runner-agent',
    name: string,
    start: Pick<Start, 'environment' | 'natsServer'> & { stepsTwice?: boolean },
  ): Supervised {
    const whole = {
      stepsTwice: false,
      ...start,
      break: this.options.break,
      clockOffsetMilliseconds: 0,
      diskFull: false,
    }
    return new Supervised(program, whole, join(this.installation.folder, `${name}.log`), () => {
      this.broken = true
    })
  }
}
