import type { HearthClient } from '@hearth/client'
import { eventually, type SeededRandom } from '@hearth/testing'
import { expect } from 'vitest'
import type { Installation } from './installation.ts'
import { countsOf, readPoolRows } from './pool-rows.ts'
import { newPublicKey } from './public-key.ts'
import type { SyntheticAgent } from './synthetic-agent.ts'

const publicKey = newPublicKey()
const most = 6

/** Takes one pool with members at rest through a random sequence of steps; after every step its counts are compared with its rows. */
export class TierSequence {
  readonly #client: HearthClient
  readonly #claims: string[] = []
  #steps = 0

  private constructor(
    private readonly installation: Installation,
    private readonly agent: SyntheticAgent,
    private readonly random: SeededRandom,
    private readonly projectName: string,
    private readonly poolId: string,
  ) {
    this.#client = installation.client
  }

  static async start(
    installation: Installation,
    agent: SyntheticAgent,
    random: SeededRandom,
  ): Promise<TierSequence> {
    const name = `tiers-${random.seed}`
    const { warmPools } = await installation.client.apply({
      apiVersion: 'hearth/v1',
      name,
      warmPools: [{ min: 4, running: 2, setup: ['make 0'] }],
    })
    const sequence = new TierSequence(installation, agent, random, name, warmPools[0]?.id ?? '')
    await sequence.settle('its start')
    return sequence
  }

  /** Takes a random step, compares the pool with its rows, and returns a description of the step. */
  async step(): Promise<string> {
    this.#steps += 1
    const steps = [
      () => this.#claim(),
      () => this.#claim(),
      () => this.#release(),
      () => this.#power('suspended'),
      () => this.#power('running'),
      () => this.#crash(),
      () => this.#scale(),
      () => this.#rollOver(),
    ]
    const done = await this.random.pick(steps)()
    await this.agree(done)
    if (this.random.next() < 0.6) await this.settle(done)
    return done
  }

  /** The pool's counts equal those of its rows, at a moment when nothing changed. */
  async agree(after: string): Promise<void> {
    for (;;) {
      const before = await this.#rows()
      const { status } = await this.#client.warmPools.get(this.poolId)
      const rows = await this.#rows()
      if (rows.versions !== before.versions) continue
      expect(countsOf(status), `after ${after}`).toEqual(countsOf(rows))
      return
    }
  }

  /** Waits until exactly as many run and rest as the pool says; compares its counts all the while. */
  async settle(after: string): Promise<void> {
    await eventually(
      async () => {
        await this.agree(after)
        const { spec, status, specVersion } = await this.#client.warmPools.get(this.poolId)
        const rows = await this.#rows()
        const running = Math.min(spec.running ?? status.desiredSize, status.desiredSize)
        return (
          status.observedSpecVersion === specVersion &&
          status.phase === 'ready' &&
          rows.provisioning === 0 &&
          rows.ready === running &&
          rows.suspended + rows.stopped === status.desiredSize - running
        )
      },
      { timeoutMilliseconds: 60_000 },
    )
  }

  async end(): Promise<void> {
    await this.#client.projects.delete(this.projectName, { force: true })
  }

  async #claim(): Promise<string> {
    const count = this.random.integer(1, 3)
    const fallback = this.random.pick(['cold', 'refuse'] as const)
    const spec = { warmPoolId: this.poolId, fallback, publicKey }
    const asked = await Promise.allSettled(
      Array.from({ length: count }, () => this.#client.claims.create({ spec })),
    )
    const taken = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(new Set(taken.map(({ status }) => status.environmentId)).size).toBe(taken.length)
    this.#claims.push(...taken.map(({ metadata }) => metadata.id))
    return `claim ${taken.map(({ status }) => status.source).join(', ')}`
  }

  async #release(): Promise<string> {
    const [id] = this.random.shuffle(this.#claims)
    if (id === undefined) return 'nothing to release'
    this.#claims.splice(this.#claims.indexOf(id), 1)
    await this.#client.claims.release(id)
    return 'release'
  }

  /** Suspends a claimed machine, or lets one run; one that cannot be is left. */
  async #power(desiredPhase: 'suspended' | 'running'): Promise<string> {
    const [id] = this.random.shuffle(this.#claims)
    if (id === undefined) return 'nothing claimed'
    const { environmentId } = (await this.#client.claims.get(id)).status
    const changed = await this.#client.environments
      .update(environmentId ?? '', { spec: { desiredPhase } })
      .then(() => '')
      .catch((error: unknown) => ` (${String(error)})`)
    return `${desiredPhase}${changed}`
  }

  async #crash(): Promise<string> {
    const machines = await this.#client.environments.listAll({ warmPoolId: this.poolId })
    const running = machines.filter(({ status }) => status.phase === 'running')
    if (running.length === 0) return 'nothing runs'
    const { metadata, status } = this.random.pick(running)
    this.agent.crash(metadata.id)
    return `crash of ${status.claimId === null ? 'a member' : 'a claimed one'}`
  }

  async #scale(): Promise<string> {
    const min = this.random.integer(0, most)
    const max = this.random.pick([null, most])
    const running = this.random.pick([null, this.random.integer(0, max ?? min)])
    const rest = this.random.pick(['suspended', 'stopped'] as const)
    await this.#client.warmPools.update(this.poolId, { spec: { min, max, running, rest } })
    return `scale to ${min}-${max}, ${running} running, ${rest}`
  }

  async #rollOver(): Promise<string> {
    await this.#client.warmPools.update(this.poolId, { spec: { setup: [`make ${this.#steps}`] } })
    return 'roll over'
  }

  #rows() {
    return readPoolRows(this.installation, this.poolId)
  }
}
