import { setTimeout as delay } from 'node:timers/promises'
import { subjects } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HostileRunner, startHostileRunner, startVictim, type Victim } from './hostile-party.ts'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
let victim: Victim
let hostile: HostileRunner

beforeAll(async () => {
  installation = await startInstallation()
  victim = await startVictim(installation)
  hostile = await startHostileRunner(installation)
})
afterAll(async () => {
  await hostile?.[Symbol.asyncDispose]()
  await victim?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const mebibyte = 1024 * 1024
/** More than the stream holds for all runners together. */
const floodMebibytes = 320

test('a runner that floods reports does not delay reports of others', async () => {
  const { client } = installation
  const { environmentId } = victim
  const becomes = async (desiredPhase: 'stopped' | 'running') => {
    const begun = performance.now()
    await client.environments.update(environmentId, { spec: { desiredPhase } })
    const isThere = async () => (await client.environments.get(environmentId)).status.phase === desiredPhase
    await eventually(isThere, { timeoutMilliseconds: 30_000 })
    return performance.now() - begun
  }
  const calm = Math.max(await becomes('stopped'), await becomes('running'))
  const output = 'x'.repeat(mebibyte - 8 * 1024)
  const flood = async () => {
    for (let sent = 0; sent < floodMebibytes; sent += 8) {
      for (let count = 0; count < 8; count += 1) {
        const id = newId()
        const failure = { code: 'command_failed', message: output }
        const report = JSON.stringify(hostile.report(id, { phase: 'failed', failure }))
        hostile.nats.publish(subjects.report(hostile.runnerId, 'environment', id), report)
      }
      await hostile.nats.flush()
      // As fast as the control plane reads: only NATS itself could hold back more.
      await delay(150)
    }
  }
  let isFlooding = true
  const flooding = flood().finally(() => {
    isFlooding = false
  })
  const times: number[] = []
  while (isFlooding) times.push(await becomes('stopped'), await becomes('running'))
  await flooding
  // Sooner than its agent would report it again.
  expect(Math.max(...times)).toBeLessThan(2 * calm + 20_000)
  await victim.isUnhurt()
}, 180_000)
