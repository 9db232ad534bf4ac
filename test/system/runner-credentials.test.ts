import { setTimeout as delay } from 'node:timers/promises'
import { subjects } from '@hearth/contract'
import { systemClock } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { startHostileRunner, startVictim, type Victim } from './hostile-party.ts'
import { type Installation, startInstallation } from './installation.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

const lifeMilliseconds = 6_000
let installation: Installation
let victim: Victim
/** Token of the victim's agent. */
let way: CuttableRelay

beforeAll(async () => {
  installation = await startInstallation({
    runnerCredentialsMilliseconds: lifeMilliseconds,
    revokesRunners: false,
  })
  const { hostname, port } = new URL(installation.url)
  way = await startCuttableRelay({ host: hostname, port: Number(port) })
  victim = await startVictim({ ...installation, url: `http://127.0.0.1:${way.port}` })
})
afterAll(async () => {
  await victim?.[Symbol.asyncDispose]()
  await way?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const renew = (runnerId: string, token: string) =>
  fetch(`${installation.url}/v1/runners/${runnerId}/credentials`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
  })

test('an agent goes on past the end of its credentials, under the same lease', async () => {
  const { client } = installation
  const { environmentId, agent } = victim
  const { epoch } = (await client.runners.get(agent.runner.metadata.id)).status
  const end = performance.now() + 2 * lifeMilliseconds
  for (let phase: 'stopped' | 'running' = 'stopped'; performance.now() < end || phase === 'running'; ) {
    await client.environments.update(environmentId, { spec: { desiredPhase: phase } })
    await eventually(async () => (await client.environments.get(environmentId)).status.phase === phase, {
      timeoutMilliseconds: 15_000,
    })
    phase = phase === 'stopped' ? 'running' : 'stopped'
  }
  await victim.isUnhurt()
  expect((await client.runners.get(agent.runner.metadata.id)).status).toMatchObject({
    epoch,
    phase: 'active',
  })
})

test('an agent that could not renew its credentials in time reconnects by itself, and its machine is unchanged', async () => {
  const { client } = installation
  const { environmentId, agent } = victim
  const runner = async () => (await client.runners.get(agent.runner.metadata.id)).status
  const before = (await client.environments.get(environmentId)).status
  const { epoch } = await runner()
  way.cut()
  await eventually(
    async () => systemClock.now().getTime() - Date.parse((await runner()).lastSeenAt ?? '') > 3_000,
    {
      timeoutMilliseconds: 3 * lifeMilliseconds,
    },
  )
  way.mend()
  const { lastSeenAt } = await runner()
  await eventually(async () => (await runner()).lastSeenAt !== lastSeenAt, { timeoutMilliseconds: 30_000 })
  await victim.isUnhurt()
  expect(await runner()).toMatchObject({ epoch, phase: 'active' })
  const { identity, address } = (await client.environments.get(environmentId)).status
  expect({ identity, address }).toEqual({ identity: before.identity, address: before.address })
}, 120_000)

test('hosts with clocks that are wrong by minutes keep their connections', async () => {
  const { client } = installation
  const startAgent = (minutes: number) =>
    startSyntheticAgent(installation, {
      name: `clock-${minutes}`,
      clock: { now: () => new Date(systemClock.now().getTime() + minutes * 60_000) },
      timings: { heartbeat: 200 },
    })
  await using behind = await startAgent(-10)
  await using ahead = await startAgent(10)
  const runnerIds = [behind, ahead].map(({ runner }) => runner.metadata.id)
  const heardAt = async (id: string) => (await client.runners.get(id)).status.lastSeenAt
  const end = performance.now() + 2 * lifeMilliseconds
  while (performance.now() < end) {
    for (const id of runnerIds) {
      const before = await heardAt(id)
      await eventually(async () => (await heardAt(id)) !== before, { timeoutMilliseconds: 5_000 })
    }
  }
})

test('an agent that does not renew its credentials keeps them, as before', async () => {
  await using older = await startHostileRunner(installation)
  await delay(lifeMilliseconds + 1_500)
  const before = (await older.client.runners.get(older.runnerId)).status.lastSeenAt
  older.nats.publish(subjects.presence(older.runnerId), JSON.stringify(older.presence()))
  await eventually(
    async () => (await older.client.runners.get(older.runnerId)).status.lastSeenAt !== before,
    { timeoutMilliseconds: 5_000 },
  )
})

test('another’s credentials, and those of a deleted runner, are refused', async () => {
  await using other = await startHostileRunner(installation)
  expect((await renew(other.runnerId, other.token)).status).toBe(200)
  expect((await renew(victim.agent.runner.metadata.id, other.token)).status).toBe(403)
  await other.client.runners.delete(other.runnerId)
  await eventually(async () => (await renew(other.runnerId, other.token)).status === 401, {
    timeoutMilliseconds: 5_000,
  })
})

test('without revocation, messages of a deleted runner count for nothing', async () => {
  await using deleted = await startHostileRunner(installation)
  await deleted.client.runners.delete(deleted.runnerId)
  const beat = JSON.stringify(deleted.presence({ epoch: 3_000_000_000 }))
  const sending = setInterval(() => deleted.nats.publish(subjects.presence(deleted.runnerId), beat), 10)
  try {
    await victim.isUnhurt()
    const request = { runnerId: deleted.runnerId, epoch: deleted.epoch, inventory: [] }
    const reply = await deleted.nats.request(subjects.sync(deleted.runnerId), JSON.stringify(request), {
      timeout: 5_000,
      noMux: true,
      reply: `${subjects.inbox(deleted.runnerId)}.asked`,
    })
    expect(reply.json()).toEqual({ accepted: false, reason: 'unknown_runner', currentEpoch: 0 })
  } finally {
    clearInterval(sending)
  }
})
