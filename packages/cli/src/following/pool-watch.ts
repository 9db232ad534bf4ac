import type { HearthClient } from '@hearth/client'
import {
  type Environment,
  type Event,
  environmentSchema,
  type WarmPool,
  warmPoolSchema,
} from '@hearth/contract'
import { followUntil } from './follow-until.ts'
import { isNewer, type PoolState } from './pool-state.ts'

/**
 * Keeps the state of some pools and their members up to date from events, and reads it again after every loss of
 * connection.
 */
export class PoolWatch {
  readonly #client: HearthClient
  readonly #poolIds: ReadonlySet<string>
  readonly #pools = new Map<string, WarmPool>()
  readonly #environments = new Map<string, Environment>()

  constructor(client: HearthClient, poolIds: readonly string[]) {
    this.#client = client
    this.#poolIds = new Set(poolIds)
  }

  /** Pools in the given order with their unclaimed members; pools not seen yet are left out. */
  states(): PoolState[] {
    const environments = [...this.#environments.values()].filter(({ status }) => status.claimId === null)
    return [...this.#poolIds].flatMap((id) => {
      const pool = this.#pools.get(id)
      if (pool === undefined) return []
      return { pool, environments: environments.filter(({ spec }) => spec.warmPoolId === id) }
    })
  }

  /** Calls `changed` after each change until it answers true. Throws the signal's reason when aborted. */
  async follow(signal: AbortSignal, changed: (states: PoolState[]) => boolean): Promise<void> {
    await followUntil(this.#client, {
      signal,
      read: async (reading) => {
        await this.#read(reading)
        return changed(this.states())
      },
      take: (event) => this.#take(event) && changed(this.states()),
    })
  }

  async #read(signal: AbortSignal): Promise<void> {
    const ids = [...this.#poolIds]
    const [pools, environments] = await Promise.all([
      Promise.all(ids.map((id) => this.#client.warmPools.get(id, { signal }))),
      Promise.all(ids.map((warmPoolId) => this.#client.environments.listAll({ warmPoolId }, { signal }))),
    ])
    for (const pool of pools) this.#takePool(pool)
    const present = new Set(environments.flat().map(({ metadata }) => metadata.id))
    for (const environment of environments.flat()) this.#takeEnvironment(environment)
    for (const id of this.#environments.keys()) if (!present.has(id)) this.#environments.delete(id)
  }

  #take(event: Event): boolean {
    if (event.kind === 'WarmPool' && this.#poolIds.has(event.resourceId)) {
      const pool = warmPoolSchema.safeParse(event.resource)
      return pool.success && this.#takePool(pool.data)
    }
    if (event.kind === 'Environment') {
      const environment = environmentSchema.safeParse(event.resource)
      return environment.success && this.#takeEnvironment(environment.data)
    }
    return false
  }

  #takePool(pool: WarmPool): boolean {
    if (!isNewer(pool, this.#pools.get(pool.metadata.id))) return false
    this.#pools.set(pool.metadata.id, pool)
    return true
  }

  #takeEnvironment(environment: Environment): boolean {
    const { id } = environment.metadata
    const poolId = environment.spec.warmPoolId
    if (poolId === null || !this.#poolIds.has(poolId)) return false
    if (!isNewer(environment, this.#environments.get(id))) return false
    if (environment.status.phase === 'deleted') return this.#environments.delete(id)
    this.#environments.set(id, environment)
    return true
  }
}
