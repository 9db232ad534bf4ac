import { subjects } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HostileRunner, startHostileRunner, startVictim, type Victim } from './hostile-party.ts'
import { type Installation, startInstallation, startReplica } from './installation.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let victim: Victim

beforeAll(async () => {
  installation = await startInstallation()
  victim = await startVictim(installation)
})
afterAll(async () => {
  await victim?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

/** NATS' answer to a new connection with the runner's credentials. */
async function connects({ credentials, runnerId }: HostileRunner): Promise<string> {
  try {
    const nats = await connect({
      servers: installation.nats.url,
      authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
      inboxPrefix: subjects.inbox(runnerId),
      reconnect: false,
    })
    await nats.close()
    return 'let in'
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

const refused = 'Authorization Violation'

test.each([
  { kind: 'that renews its credentials', renews: true },
  { kind: 'whose credentials have no end', renews: false },
])('the connection of a deleted runner $kind ends at once, and nobody else’s', async ({ renews }) => {
  await using deleted = await startHostileRunner(installation, { renews })
  await using other = await startHostileRunner(installation, { renews })
  const begun = performance.now()
  await deleted.client.runners.delete(deleted.runnerId)
  await eventually(() => !deleted.isConnected(), { timeoutMilliseconds: 5_000 })
  expect(performance.now() - begun).toBeLessThan(5_000)
  expect(await connects(deleted)).toBe(refused)
  expect(other.isConnected()).toBe(true)
  expect(await connects(other)).toBe('let in')
  await victim.isUnhurt()
})

test('it is still refused after NATS was killed and is back', async () => {
  await using deleted = await startHostileRunner(installation)
  await deleted.client.runners.delete(deleted.runnerId)
  await installation.nats.crashAndRestart()
  expect(await connects(deleted)).toBe(refused)
  await victim.isUnhurt()
})

test('two runners deleted at once by two control planes are both refused, also after a restart', async () => {
  const replica = await startReplica(installation)
  await using one = await startHostileRunner(installation)
  await using two = await startHostileRunner({ ...installation, url: replica.url })
  await Promise.all([one, two].map(({ client, runnerId }) => client.runners.delete(runnerId)))
  expect(await Promise.all([one, two].map(connects))).toEqual([refused, refused])
  await replica.stop()
  const again = await startReplica(installation)
  await using three = await startHostileRunner({ ...installation, url: again.url })
  await three.client.runners.delete(three.runnerId)
  expect(await Promise.all([one, two, three].map(connects))).toEqual([refused, refused, refused])
  await again.stop()
  await victim.isUnhurt()
})

test('the agent of a deleted runner ends by itself', async () => {
  await using agent = await startSyntheticAgent(installation, { name: 'to-delete' })
  const { id } = agent.runner.metadata
  const runner = async () => (await installation.client.runners.get(id)).status
  await eventually(async () => (await runner()).phase === 'active', { timeoutMilliseconds: 30_000 })
  await installation.client.runners.delete(id)
  expect(await agent.ended).toBe('superseded')
})
