import type { HearthClient } from '@hearth/client'
import {
  type Environment,
  type Event,
  environmentSchema,
  type Service,
  serviceSchema,
} from '@hearth/contract'
import { mostOneByOne } from '../output/crowd-lines.ts'
import { followUntil } from './follow-until.ts'
import { isNewer } from './pool-state.ts'
import { areSettled, begunAtStart, type ServiceState } from './service-state.ts'

/** Keeps the services of pools' members up to date from events: of the oldest few of each pool, since all are alike. */
export class ServiceWatch {
  readonly #machines = new Map<string, { environment: Environment; expected: readonly string[] }>()
  readonly #services = new Map<string, Service>()

  constructor(
    private readonly client: HearthClient,
    private readonly poolIds: readonly string[],
  ) {}

  get state(): ServiceState {
    return { machines: [...this.#machines.values()], services: [...this.#services.values()] }
  }

  /** Calls `changed` after each change until all services are settled. */
  async follow(signal: AbortSignal, changed: () => void): Promise<void> {
    const isOver = () => {
      changed()
      return areSettled(this.state)
    }
    await followUntil(this.client, {
      signal,
      read: async (reading) => {
        await this.#read(reading)
        return isOver()
      },
      take: (event) => this.#take(event) && isOver(),
    })
  }

  async #read(signal: AbortSignal): Promise<void> {
    const pools = await Promise.all(
      this.poolIds.map((warmPoolId) => this.client.environments.listAll({ warmPoolId }, { signal })),
    )
    const members = pools.flatMap((all) => all.filter(isReadyMember).slice(0, mostOneByOne))
    this.#machines.clear()
    this.#services.clear()
    await Promise.all(
      members.map(async ({ metadata: { id } }) => {
        const [environment, services] = await Promise.all([
          this.client.environments.get(id, { signal }),
          this.client.services.listAll({ environmentId: id }, { signal }),
        ])
        const { processes } = environment.spec.plan ?? {}
        this.#machines.set(id, {
          environment,
          expected: processes === undefined ? [] : begunAtStart(processes),
        })
        for (const service of services) this.#services.set(service.metadata.id, service)
      }),
    )
  }

  #take({ kind, verb, resource, resourceId }: Event): boolean {
    if (kind === 'Service') {
      if (verb === 'deleted') return this.#services.delete(resourceId)
      const { data } = serviceSchema.safeParse(resource)
      if (data === undefined || !this.#machines.has(data.spec.environmentId)) return false
      if (!isNewer(data, this.#services.get(resourceId))) return false
      this.#services.set(resourceId, data)
      return true
    }
    const { data } = environmentSchema.safeParse(kind === 'Environment' ? resource : null)
    // One that was claimed or is going is not the pool's to be ready any more.
    if (data === undefined || !this.#machines.has(resourceId) || isReadyMember(data)) return false
    for (const [id, { spec }] of this.#services)
      if (spec.environmentId === resourceId) this.#services.delete(id)
    return this.#machines.delete(resourceId)
  }
}

const isReadyMember = ({ spec, status }: Environment) =>
  status.claimId === null && status.phase === 'running' && spec.desiredPhase === 'running'
