import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type ScriptedRunner, startScriptedRunner } from './scripted-runner.ts'

/** An agent from before there was suspension: it does not say that it suspends, and would ignore the order. */
let installation: Installation
let runner: ScriptedRunner

beforeAll(async () => {
  installation = await startInstallation()
  runner = await startScriptedRunner(installation, 1)
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

test('a machine of an agent that cannot suspend runs on, and whoever asks is told to upgrade it', async () => {
  const { client } = installation
  const [id = ''] = runner.machines
  const ready = runner.report(id, 1, {
    phase: 'running',
    address: { host: '127.0.0.1', port: 2222, user: 'root', hostKey: `ssh-ed25519 ${'A'.repeat(68)}` },
    steps: [],
  })
  await runner.messaging.publishReport(ready)
  await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
  const [pool] = await client.warmPools.listAll({})
  await client.warmPools.update(pool?.metadata.id ?? '', { spec: { running: 0 } })
  await untilPool(
    client,
    pool?.metadata.id ?? '',
    ({ status, specVersion }) => status.observedSpecVersion === specVersion,
  )
  expect(await run(installation, 'suspend', id)).toMatchObject({
    status: 4,
    stderr: expect.stringMatching(
      /is on runner \S+ with agent scripted, which cannot suspend: upgrade the agent/,
    ) as string,
  })
  const environment = await client.environments.get(id)
  expect([environment.status.phase, environment.spec.desiredPhase]).toEqual(['running', 'running'])
})

test('one whose lifetime ends in suspension is stopped instead', async () => {
  const { client } = installation
  const [id = ''] = runner.machines
  const [pool] = await client.warmPools.listAll({})
  const spec = {
    warmPoolId: pool?.metadata.id ?? '',
    publicKey: newPublicKey(),
    life: { lifetimeSeconds: 2, lifetimeThen: 'suspend' as const },
  }
  const claim = await client.claims.create({ spec })
  expect(claim.status.environmentId).toBe(id)
  const ended = await untilEnvironment(client, id, ({ spec }) => spec.desiredPhase !== 'running')
  expect(ended.spec.desiredPhase).toBe('stopped')
})
