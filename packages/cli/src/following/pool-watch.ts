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
  readonly #machines = new Map<string, Environment>()

  constructor(client: HearthClient, poolIds: readonly string[]) {
    this.#client = client
    this.#poolIds = new Set(poolIds)
  }

  /** Pools in the given order with their unclaimed members; pools not seen yet are left out. */
  states(): PoolState[] {
    const machines = [...this.#machines.values()].filter(({ status }) => status.claimId === null)
    return [...this.#poolIds].flatMap((id) => {
      const pool = this.#pools.get(id)
      if (pool === undefined) return []
      return { pool, machines: machines.filter(({ spec }) => spec.warmPoolId === id) }
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
    const [pools, machines] = await Promise.all([
      Promise.all(ids.map((id) => this.#client.warmPools.get(id, { signal }))),
      Promise.all(ids.map((warmPoolId) => this.#client.environments.listAll({ warmPoolId }, { signal }))),
    ])
    for (const pool of pools) this.#takePool(pool)
    const present = new Set(machines.flat().map(({ metadata }) => metadata.id))
    for (const machine of machines.flat()) this.#takeMachine(machine)
    for (const id of this.#machines.keys()) if (!present.has(id)) this.#machines.delete(id)
  }

  #take(event: Event): boolean {
    if (event.kind === 'WarmPool' && this.#poolIds.has(event.resourceId)) {
      const pool = warmPoolSchema.safeParse(event.resource)
      return pool.success && this.#takePool(pool.data)
    }
    if (event.kind === 'Environment') {
      const machine = environmentSchema.safeParse(event.resource)
      return machine.success && this.#takeMachine(machine.data)
    }
    return false
  }

  #takePool(pool: WarmPool): boolean {
    if (!isNewer(pool, this.#pools.get(pool.metadata.id))) return false
    this.#pools.set(pool.metadata.id, pool)
    return true
  }

  #takeMachine(machine: Environment): boolean {
    const { id } = machine.metadata
    const poolId = machine.spec.warmPoolId
    if (poolId === null || !this.#poolIds.has(poolId)) return false
    if (!isNewer(machine, this.#machines.get(id))) return false
    if (machine.status.phase === 'deleted') return this.#machines.delete(id)
    this.#machines.set(id, machine)
    return true
  }
}
