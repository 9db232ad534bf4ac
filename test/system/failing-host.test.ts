import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

const timings = { heartbeat: 200 }
const hostProbe = 1_000
const patience = { timeoutMilliseconds: 40_000, intervalMilliseconds: 100 }

let installation: Installation

beforeAll(async () => {
  installation = await startInstallation({
    overrides: { timings: { bootRetry: 20, placementRest: 200, poolRest: 300, hostProbe } },
  })
})
afterAll(() => installation[Symbol.asyncDispose]())

test('a host whose machines keep failing leaves placement, with the evidence, and comes back by a probe', async () => {
  const { client } = installation
  const failures = { HEARTH_SYNTHETIC_FAILURES: 'create_vm:1' }
  const bad = await startSyntheticAgent(installation, { name: 'bad', environment: failures, timings })
  const good = await startSyntheticAgent(installation, { name: 'good', timings })
  const runner = (name: string) => client.runners.get(name)
  const untilRunner = (phase: string) =>
    until(
      client,
      `bad ${phase}`,
      () => runner('bad'),
      ({ status }) => status.phase === phase,
    )
  const schedule = (scheduling: 'enabled' | 'cordoned') =>
    client.runners.update('good', { spec: { scheduling } })
  await schedule('cordoned')
  const { warmPools } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', warmPools: [{ min: 3 }] })
  const id = warmPools[0]?.id ?? ''

  const degraded = await untilRunner('degraded')
  expect(degraded.status.health).toMatchObject({
    failures: 3,
    boots: 3,
    lastFailure: { message: 'create_vm: the synthetic host refused the machine, as its settings say' },
  })
  const why = await client.runners.why('bad')
  expect(why.sentence).toMatch(
    /^environments keep failing on it: 3 of the last 3 boots, .*the synthetic host refused/,
  )
  expect(why.next).toContain('one environment is tried on it')
  const [waiting] = await until(
    client,
    'a machine to wait',
    () => client.environments.listAll({ warmPoolId: id, phase: 'pending' }),
    (all) => all.length > 0,
  )
  expect((await client.environments.why(waiting?.metadata.id ?? '')).sentence).toMatch(
    /bad is degraded: environments keep failing there|is about to be placed|is being made/,
  )

  // The pool has not given up: failures of a bad host say nothing about the set-up.
  await schedule('enabled')
  const full = await untilPool(client, id, ({ status }) => status.ready === 3)
  expect(full.status).toMatchObject({ phase: 'ready', consecutiveFailures: 0 })
  const members = await client.environments.listAll({ warmPoolId: id, phase: 'running' })
  expect(members.every(({ status }) => status.runnerId === good.runner.metadata.id)).toBe(true)

  // A machine that nobody waits for is tried there. It fails, and the next pause is twice as long.
  const claim = async () => {
    const made = await client.claims.create({
      spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
    })
    await untilPool(client, id, ({ status }) => status.ready === 3)
    return made
  }
  const before = (await runner('bad')).status.health?.probes ?? 0
  const probed = await eventually(async () => {
    const { status } = await runner('bad')
    if (status.health?.probes === before && Date.parse(status.health.probeAt ?? '') <= Date.now())
      await claim()
    const now = await runner('bad')
    return (now.status.health?.probes ?? 0) > before ? now : null
  }, patience)
  const pause =
    Date.parse(probed.status.health?.probeAt ?? '') - Date.parse(probed.status.health?.lastFailure?.at ?? '')
  expect(pause).toBe(hostProbe * 2 ** (probed.status.health?.probes ?? 0))

  // The host works again. Nobody needs another machine, and the host's clock is an hour slow.
  await bad.stop()
  const clock = { now: () => new Date(Date.now() - 3_600_000) }
  const healed = await startSyntheticAgent(installation, { name: 'bad', identityOf: bad, timings, clock })
  const restored = await eventually(async () => {
    const now = await runner('bad')
    return now.status.phase === 'active' ? now : null
  }, patience)
  expect(restored.status.health).toMatchObject({
    degradedSince: null,
    failures: 0,
    restoredAt: expect.any(String),
  })
  const tried = await client.environments.listAll({ runnerId: healed.runner.metadata.id, phase: 'running' })
  expect(tried.length).toBeGreaterThan(0)
  await healed.stop()
  await good.stop()
}, 120_000)
