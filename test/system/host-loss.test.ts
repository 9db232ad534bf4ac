import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Claim } from '@hearth/contract'
import { eventually, seededRandom } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const runnerLease = 1_500
const timings = {
  heartbeat: 150,
  lease: runnerLease,
  removalGrace: 400,
  synchronisationSpread: 50,
  synchronisation: 2_000,
  // A request in flight when the cable was cut is never answered.
  synchronisationReply: 1_000,
  retryMost: 300,
}

const patience = { timeoutMilliseconds: 20_000 }

let installation: Installation
let relay: CuttableRelay
let cut: SyntheticAgent
let staying: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation({
    overrides: {
      timings: { runnerLease, placementRest: 300, poolRest: 500, bootRetry: 50, hostProbe: 1_200 },
    },
  })
  const { hostname, port } = new URL(installation.nats.url)
  relay = await startCuttableRelay({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  await cut?.stop()
  await staying?.stop()
  await relay?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const apply = async (name: string, change: object = {}) => {
  const declaration = { apiVersion: 'hearth/v1' as const, name, warmPools: [{ min: 0 }], ...change }
  const { projectId, warmPools } = await installation.client.apply(declaration)
  return { projectId, poolId: warmPools[0]?.id ?? '' }
}
const claimOf = (poolId: string) =>
  installation.client.claims.create({ spec: { warmPoolId: poolId, publicKey: newPublicKey() } })
const untilClaim = (id: string, wanted: (claim: Claim) => boolean) =>
  until(installation.client, `claim ${id}`, () => installation.client.claims.get(id), wanted)
const untilRunner = (name: string, phase: string) =>
  until(
    installation.client,
    `${name} ${phase}`,
    () => installation.client.runners.get(name),
    ({ status }) => status.phase === phase,
  )
const machinesOf = (agent: SyntheticAgent) => readdirSync(join(agent.stateFolder, 'environments')).sort()
/** Throws the hosts' content unless it is exactly as expected. */
function agentsHold(ids: readonly string[]): true {
  expect([cut, staying].flatMap(machinesOf).sort()).toEqual(ids.toSorted())
  return true
}
const schedule = (name: string, scheduling: 'enabled' | 'cordoned') =>
  installation.client.runners.update(name, { spec: { scheduling } })

test('wait: a claim keeps its machine and its work; recreate: it gets another, and the host removes the old one', async () => {
  const { client } = installation
  cut = await startSyntheticAgent(installation, { name: 'cut', through: relay, timings })
  const waits = await apply('waits')
  const again = await apply('again', { onHostLoss: 'recreate' })
  const kept = await claimOf(waits.poolId)
  const moved = await claimOf(again.poolId)
  const ready = (claim: Claim) => untilClaim(claim.metadata.id, ({ status }) => status.phase === 'bound')
  const [keptBefore, movedBefore] = await Promise.all([ready(kept), ready(moved)])
  staying = await startSyntheticAgent(installation, { name: 'staying', timings })
  await untilRunner('staying', 'active')
  relay.cut()
  const recreated = await untilClaim(
    moved.metadata.id,
    ({ status }) => status.phase === 'bound' && status.lost !== null,
  )
  expect(recreated.status).toMatchObject({
    source: 'cold',
    lost: { environmentId: movedBefore.status.environmentId, runnerId: cut.runner.metadata.id },
  })
  const fresh = await client.environments.get(recreated.status.environmentId ?? '')
  expect(fresh.status).toMatchObject({
    phase: 'running',
    runnerId: staying.runner.metadata.id,
    claimId: moved.metadata.id,
  })
  expect(recreated.status.connection?.address).toEqual(fresh.status.address)
  const lost = await client.environments.get(movedBefore.status.environmentId ?? '')
  expect(lost.status).toMatchObject({ phase: 'deleted', deletion: { reason: 'runner_lost' } })
  expect((await client.claims.why(moved.metadata.id)).sentence).toContain(
    'its environment was lost with runner cut',
  )
  // The loss is visible: the claim's events name the loss and the new machine.
  const { items } = await client.events.list({ resourceId: moved.metadata.id, kind: 'Claim', after: 0 })
  expect(items.map(({ resource }) => (resource as Claim).status.environmentId)).toContain(fresh.metadata.id)

  const waiting = await client.claims.get(kept.metadata.id)
  expect(waiting.status).toMatchObject({
    phase: 'bound',
    environmentId: keptBefore.status.environmentId,
    lost: null,
  })
  expect(machinesOf(cut)).toHaveLength(2)
  relay.mend()
  const back = await untilEnvironment(
    client,
    keptBefore.status.environmentId ?? '',
    ({ status }) => !status.unreachable,
  )
  expect(back.status).toMatchObject({ phase: 'running', runnerId: cut.runner.metadata.id })
  await eventually(() => machinesOf(cut).length === 1, patience)
  expect(machinesOf(cut)).toEqual([keptBefore.status.environmentId])
  for (const claim of [kept, moved]) await client.claims.release(claim.metadata.id)
  await eventually(() => agentsHold([]), patience)
}, 60_000)

test('a claim whose machine was never ready gets another at once, whatever the project says, and from the pool if that has one', async () => {
  const { client } = installation
  const { poolId } = await apply('unready', { warmPools: [{ min: 1 }] })
  await schedule('cut', 'cordoned')
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const given = await claimOf(poolId)
  expect(given.status.source).toBe('running')
  await schedule('cut', 'enabled')
  await schedule('staying', 'cordoned')
  // Its machine cannot become ready: the host is lost before it gets the order.
  relay.cut()
  const cold = await claimOf(poolId)
  await schedule('staying', 'enabled')
  const bound = await untilClaim(cold.metadata.id, ({ status }) => status.phase === 'bound')
  const machine = await client.environments.get(bound.status.environmentId ?? '')
  expect(machine.status.runnerId).toBe(staying.runner.metadata.id)
  relay.mend()
  await untilRunner('cut', 'active')
  await client.projects.delete('unready', { force: true })
  await eventually(() => agentsHold([]), patience)
}, 60_000)

const seeds = [1, 2, 3, 4, 5, 6]

test.each(seeds)(
  'a host that returns in the middle of it: every claim has exactly one machine (seed %i)',
  async (seed) => {
    const { client } = installation
    const random = seededRandom(seed)
    const { poolId } = await apply(`middle-${seed}`, { onHostLoss: 'recreate' })
    await untilRunner('cut', 'active')
    await schedule('staying', 'cordoned')
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimOf(poolId)))
    for (const claim of claims) await untilClaim(claim.metadata.id, ({ status }) => status.phase === 'bound')
    await schedule('staying', 'enabled')
    const away = runnerLease * (0.6 + random.next() * 0.9)
    console.log(`seed ${seed}: away for ${Math.round(away)} ms`)
    relay.cut()
    await delay(away)
    relay.mend()
    if (random.next() < 0.5) {
      relay.cut()
      await delay(runnerLease * random.next())
      relay.mend()
    }
    await untilRunner('cut', 'active')
    const settled = await Promise.all(
      claims.map((claim) => untilClaim(claim.metadata.id, ({ status }) => status.phase === 'bound')),
    )
    const agents = [cut, staying]
    // The hosts hold exactly one machine for each claim.
    await eventually(async () => {
      const all = await Promise.all(claims.map((claim) => client.claims.get(claim.metadata.id)))
      return agentsHold(all.map(({ status }) => status.environmentId ?? ''))
    }, patience)
    expect(new Set(settled.map(({ metadata }) => metadata.id)).size).toBe(claims.length)
    for (const claim of claims) {
      // Its machine may be lost once more, through a cut that nobody had noticed yet.
      const machine = await until(
        client,
        `the machine of ${claim.metadata.name}`,
        async () =>
          client.environments.get((await client.claims.get(claim.metadata.id)).status.environmentId ?? ''),
        ({ status }) => status.phase === 'running' && !status.unreachable,
      )
      expect(machine.status).toMatchObject({ phase: 'running', claimId: claim.metadata.id })
      const host = agents.find(({ runner }) => runner.metadata.id === machine.status.runnerId)
      expect(existsSync(join(host?.stateFolder ?? '', 'environments', machine.metadata.id))).toBe(true)
      await client.claims.release(claim.metadata.id)
    }
    await client.projects.delete(`middle-${seed}`, { force: true })
    await eventually(() => agentsHold([]), patience)
  },
  60_000,
)
