import type { EnvironmentReport } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type ScriptedRunner, startScriptedRunner } from './scripted-runner.ts'

let installation: Installation
let runner: ScriptedRunner

beforeAll(async () => {
  installation = await startInstallation()
  runner = await startScriptedRunner(installation, 1)
})
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const address = { host: '127.0.0.1', port: 22, user: 'root', hostKey: newPublicKey() }
const patience = { timeoutMilliseconds: 30_000 }
let sequence = 0

/** Makes the runner send this report about the environment, and waits until it is processed. */
async function tell(id: string, changes: Partial<EnvironmentReport>): Promise<void> {
  sequence += 1
  await runner.messaging.publishReport(runner.report(id, sequence, { phase: 'running', ...changes }))
  const { client } = installation
  await eventually(async () => {
    const { status } = await client.environments.get(id)
    return status.phase === 'running' && (status.paused?.reason ?? null) === (changes.paused?.reason ?? null)
      ? true
      : null
  }, patience)
}

test('no claim gets a paused machine; its pool does not count it, and `why` says so', async () => {
  const { client } = installation
  const [id = ''] = runner.machines
  const { warmPoolId } = (await client.environments.get(id)).spec
  if (warmPoolId === null) throw new Error('the machine is in no pool')
  const isReady = (ready: number) =>
    eventually(
      async () => ((await client.warmPools.get(warmPoolId)).status.ready === ready ? true : null),
      patience,
    )
  await tell(id, { address })
  await isReady(1)
  const spec = { warmPoolId, fallback: 'refuse' as const, publicKey: newPublicKey() }
  const since = '2026-01-01T00:00:00.000Z'
  await tell(id, { paused: { reason: 'io_error', since } })
  await isReady(0)
  const explanation = await client.environments.why(id)
  expect(explanation.sentence).toContain('the disk of the host is full')
  await expect(client.claims.create({ spec })).rejects.toMatchObject({ code: 'pool_empty' })

  // A new agent does not know when the pause began: the time from the first report is kept.
  await tell(id, { paused: { reason: 'io_error', since: '2026-01-01T01:00:00.000Z' } })
  expect((await client.environments.get(id)).status.paused).toEqual({ reason: 'io_error', since })

  await tell(id, { paused: null })
  await isReady(1)
  const claim = await client.claims.create({ spec })
  expect(claim.status.environmentId).toBe(id)
})
