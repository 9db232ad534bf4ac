import type { HearthClient } from '@hearth/client'
import type { WarmPool } from '@hearth/contract'
import { eventually, type SeededRandom } from '@hearth/testing'
import { expect } from 'vitest'
import type { Installation } from './installation.ts'
import { countsOf, type PoolRows, readPoolRows } from './pool-rows.ts'
import { newPublicKey } from './public-key.ts'

const publicKey = newPublicKey()
const machines = 10

/** Takes one pool through a random sequence of steps; after every step its counts are compared with its rows. */
export class PoolSequence {
  readonly #client: HearthClient
  #size = machines
  /**
   * Bounds since the last rest: the minimum of ready members and the maximum of existing ones, replacements left out.
   */
  #bounds = { least: 0, most: machines }
  #enabled = true
  #cleared = false
  #breaks = false
  #isAtRest = false
  #steps = 0

  private constructor(
    private readonly installation: Installation,
    private readonly random: SeededRandom,
    private readonly pool: Pick<WarmPool, 'metadata' | 'spec'>,
    private readonly environmentClass: string,
  ) {
    this.#client = installation.client
  }

  static async start(installation: Installation, random: SeededRandom): Promise<PoolSequence> {
    const { client } = installation
    const name = `sequence-${random.seed}`
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 1 }
    await client.environmentClasses.create({ name, spec: { ...size, runnerSelector: { host: 'sound' } } })
    const { warmPools } = await client.apply({
      apiVersion: 'hearth/v1',
      name,
      repositories: [{ url: 'https://git.example/team/shop.git' }],
      warmPools: [{ environmentClass: name, min: machines, setup: ['make 0'] }],
    })
    const pool = await client.warmPools.get(warmPools[0]?.id ?? '')
    const sequence = new PoolSequence(installation, random, pool, name)
    await sequence.settle('its start')
    return sequence
  }

  /** Takes a random step, compares the pool with its rows until and at rest, and returns a description of the step. */
  async step(): Promise<string> {
    this.#steps += 1
    const steps = [
      () => this.#resize(),
      () => this.#resetUp(),
      () => this.#switch(),
      () => this.#test(),
      () => this.#clear(),
      () => this.#claim(),
      () => this.#claim(),
      () => this.#fail(),
    ]
    const done = await this.random.pick(steps)()
    await this.agree(done)
    if (this.random.next() < 0.7) await this.settle(done)
    return done
  }

  /** The pool's counts equal those of its rows, at a moment when nothing changed. */
  async agree(after: string): Promise<void> {
    for (;;) {
      const before = await this.#rows()
      const { status } = await this.#client.warmPools.get(this.#id)
      const [listed] = await this.#client.warmPools.listAll({ projectId: this.pool.spec.projectId })
      const rows = await this.#rows()
      const alive = rows.ready + rows.provisioning
      if (rows.versions !== before.versions) continue
      const { ready } = rows
      const counts = countsOf(rows)
      expect(countsOf(status), `after ${after}`).toEqual(counts)
      expect(listed === undefined ? null : countsOf(listed.status), `listed after ${after}`).toEqual(counts)
      expect(alive, `not too many after ${after}`).toBeLessThanOrEqual(this.#bounds.most + 1)
      expect(ready, `not too few after ${after}`).toBeGreaterThanOrEqual(this.#bounds.least)
      return
    }
  }

  /** Waits until the pool is in its desired state and nothing changes; compares its counts all the while. */
  async settle(after: string): Promise<void> {
    const wanted = this.#enabled && !this.#cleared ? this.#size : 0
    let broken: { error: unknown } | null = null
    await eventually(
      async () => {
        await this.agree(after).catch((error: unknown) => {
          broken = { error }
        })
        return broken !== null || (await this.#rests(wanted))
      },
      { timeoutMilliseconds: 60_000 },
    )
    throwFound(broken)
    this.#bounds = { least: 0, most: wanted }
    this.#isAtRest = true
  }

  async #rests(wanted: number): Promise<boolean> {
    const pool = await this.#client.warmPools.get(this.#id)
    const rows = await this.#rows()
    if (rows.provisioning > 0 || pool.status.observedSpecVersion < pool.specVersion) return false
    if (pool.status.phase === 'failed') return this.#breaks
    return rows.ready === wanted && pool.status.phase !== 'filling'
  }

  async end(): Promise<void> {
    await this.#client.projects.delete(this.pool.metadata.name.slice(0, this.environmentClass.length), {
      force: true,
    })
  }

  async #resize(): Promise<string> {
    const size = this.random.integer(0, machines)
    this.#allow({ most: Math.max(this.#size, size) })
    await this.#set({ min: size })
    this.#size = size
    return `set size ${size}`
  }

  async #resetUp(): Promise<string> {
    // If this was the only change since the pool was at rest, ready members stay until they are replaced.
    const least = this.#isAtRest && !this.#breaks ? this.#bounds.most : 0
    this.#allow({ least, most: this.#size })
    await this.#set({ setup: [`make ${this.#steps}`] })
    return 'set commands'
  }

  async #switch(): Promise<string> {
    const enabled = !this.#enabled
    this.#allow({ most: this.#size })
    await this.#set({ enabled })
    this.#enabled = enabled
    return enabled ? 'enabled' : 'disabled'
  }

  async #set(spec: Parameters<HearthClient['warmPools']['update']>[1]['spec']): Promise<void> {
    const before = await this.#client.warmPools.get(this.#id)
    const after = await this.#client.warmPools.update(this.#id, { spec })
    if (after.specVersion > before.specVersion) this.#cleared = false
  }

  async #test(): Promise<string> {
    const { tests } = await this.#rows()
    await this.#client.warmPools.tests(this.#id).create({ keepSeconds: 600 })
    expect((await this.#rows()).tests).toBe(tests + 1)
    return 'test'
  }

  async #clear(): Promise<string> {
    const replenish = this.random.next() < 0.5
    this.#allow({ most: this.#size })
    const { status } = await this.#client.warmPools.clear(this.#id, { replenish })
    if (!replenish) expect(countsOf(status)).toMatchObject({ ready: 0, provisioning: 0, failed: 0 })
    this.#cleared = !replenish
    return `clear ${replenish ? 'and fill' : ''}`
  }

  async #claim(): Promise<string> {
    const count = this.random.integer(1, 3)
    this.#allow({ most: 0 })
    const spec = { warmPoolId: this.#id, fallback: 'refuse' as const, publicKey }
    const taken = await Promise.allSettled(
      Array.from({ length: count }, () => this.#client.claims.create({ spec })),
    )
    const claims = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(new Set(claims.map(({ status }) => status.environmentId)).size).toBe(claims.length)
    if (this.random.next() < 0.5)
      for (const { metadata } of claims) await this.#client.claims.release(metadata.id)
    return `claim ${claims.length}`
  }

  /** Makes boots of this pool fail from now on, or succeed again. */
  async #fail(): Promise<string> {
    this.#breaks = !this.#breaks
    this.#allow({ most: this.#size })
    const host = this.#breaks ? 'broken' : 'sound'
    await this.#client.environmentClasses.update(this.environmentClass, {
      spec: { runnerSelector: { host } },
    })
    // Whoever repairs the cause retries a pool that has stopped.
    if (!this.#breaks) {
      await this.#client.warmPools.clear(this.#id, { replenish: true })
      this.#cleared = false
    }
    return this.#breaks ? 'boots begin to fail' : 'boots go well again'
  }

  /** The pool is not at rest, so the new bounds are added to the earlier ones. */
  #allow({ least = 0, most }: { least?: number; most: number }): void {
    this.#bounds = { least, most: Math.max(this.#bounds.most, most) }
    this.#isAtRest = false
  }

  get #id(): string {
    return this.pool.metadata.id
  }

  #rows(): Promise<PoolRows> {
    return readPoolRows(this.installation, this.#id)
  }
}

// A separate function, because the compiler does not see that a callback has set it.
function throwFound(found: { error: unknown } | null): void {
  if (found !== null) throw found.error
}
