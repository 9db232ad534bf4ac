import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

const runnerLease = 2_000
const timings = {
  heartbeat: 200,
  lease: runnerLease,
  removalGrace: 1_500,
  synchronisationSpread: 50,
  retryMost: 500,
}

let installation: Installation
let relay: CuttableRelay

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { runnerLease } } })
  const { hostname, port } = new URL(installation.nats.url)
  relay = await startCuttableRelay({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const declaration = (name: string, min: number) => ({
  apiVersion: 'hearth/v1' as const,
  name,
  setup: ['make'],
  warmPools: [{ min }],
})
const machinesOf = ({ stateFolder }: { stateFolder: string }) =>
  readdirSync(join(stateFolder, 'environments')).sort()
const runnerPhase = (name: string, phase: string) =>
  until(
    installation.client,
    `${name} ${phase}`,
    () => installation.client.runners.get(name),
    ({ status }) => status.phase === phase,
  )

test('a host that returns learns what it no longer owns, and its claimed machine is reachable again', async () => {
  const { client } = installation
  const cut = await startSyntheticAgent(installation, { name: 'cut', through: relay, timings })
  const { warmPools } = await client.apply(declaration('split', 3))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 3)
  const claim = await client.claims.create({
    spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  const claimedId = claim.status.environmentId ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 3 && status.claimed === 1)
  const before = await client.environments.get(claimedId)
  const made = machinesOf(cut)
  expect(made).toHaveLength(4)
  // A machine that nobody ordered: it is not provably the runner's, so it must stay.
  const stranger = join(cut.stateFolder, 'environments', newId())
  mkdirSync(stranger)
  writeFileSync(join(stranger, 'disk.qcow2'), 'theirs')

  const staying = await startSyntheticAgent(installation, { name: 'staying', timings })
  relay.cut()
  await runnerPhase('cut', 'offline')
  await untilEnvironment(client, claimedId, ({ status }) => status.unreachable)
  const { metadata } = await client.runners.get('staying')
  const replaced = await until(
    client,
    'the pool on the other host',
    () => client.environments.listAll({ warmPoolId: id }),
    (all) => readyOn(all, metadata.id).length === 3,
  )
  expect(readyOn(replaced, metadata.id).map(({ metadata: { id } }) => id)).not.toContain(claimedId)
  expect((await client.claims.get(claim.metadata.id)).status.phase).toBe('bound')
  // Nothing is removed while no control plane can be asked.
  expect(machinesOf(cut)).toEqual([...made, stranger.split('/').at(-1)].sort())

  relay.mend()
  await runnerPhase('cut', 'active')
  const after = await untilEnvironment(client, claimedId, ({ status }) => !status.unreachable)
  expect(after.status).toMatchObject({ phase: 'running', address: before.status.address, failure: null })
  expect(after.status.steps).toEqual(before.status.steps)
  await expect
    .poll(() => machinesOf(cut), { timeout: 20_000 })
    .toEqual([claimedId, stranger.split('/').at(-1)].sort())
  expect(readFileSync(join(stranger, 'disk.qcow2'), 'utf8')).toBe('theirs')

  await client.claims.release(claim.metadata.id)
  await untilEnvironment(client, claimedId, ({ status }) => status.phase === 'deleted')
  await client.projects.delete('split')
  await until(
    client,
    'empty',
    () => client.runners.get('staying'),
    ({ status }) => status.environments === 0,
  )
  await cut.stop()
  await staying.stop()
  expect(existsSync(stranger)).toBe(true)
})

test('an agent that stops in order is offline at once, and its machines are kept if it is soon back', async () => {
  const { client } = installation
  const first = await startSyntheticAgent(installation, { name: 'restarted', timings })
  const { warmPools } = await client.apply(declaration('restarted', 2))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 2)
  const made = (await client.environments.listAll({ warmPoolId: id }))
    .map(({ metadata }) => metadata.id)
    .sort()
  expect(machinesOf(first)).toEqual(made)
  await first.stop()
  const left = await runnerPhase('restarted', 'offline')
  const silentFor = Date.now() - Date.parse(left.status.lastSeenAt ?? '')
  expect(silentFor).toBeLessThan(runnerLease)
  const second = await startSyntheticAgent(installation, { name: 'restarted', identityOf: first, timings })
  await runnerPhase('restarted', 'active')
  expect(machinesOf(second)).toEqual(made)
  const all = await client.environments.listAll({ warmPoolId: id })
  expect(all.map(({ metadata }) => metadata.id).sort()).toEqual(made)

  // The machine of an agent that does not return is given up when the lease is over.
  await second.stop()
  const other = await startSyntheticAgent(installation, { name: 'other', timings })
  const { metadata } = await client.runners.get('other')
  await until(
    client,
    'the pool on the other host',
    () => client.environments.listAll({ warmPoolId: id }),
    (now) => readyOn(now, metadata.id).length === 2,
  )
  await client.projects.delete('restarted')
  await other.stop()
})

function readyOn(all: readonly Environment[], runnerId: string): Environment[] {
  return all.filter(({ status }) => status.runnerId === runnerId && status.phase === 'running')
}
