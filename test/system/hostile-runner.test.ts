import { streams, subjects } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { headers } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  goodFacts,
  type HostileRunner,
  startHostileRunner,
  startVictim,
  type Victim,
} from './hostile-party.ts'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
let victim: Victim
let hostile: HostileRunner

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { runnerLease: 3_000 } } })
  victim = await startVictim(installation)
  hostile = await startHostileRunner(installation)
})
afterAll(async () => {
  await hostile?.[Symbol.asyncDispose]()
  await victim?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

/** Sends repeatedly while `work` runs. */
async function during(send: () => void, work: () => Promise<void>): Promise<void> {
  const sending = setInterval(send, 10)
  try {
    await work()
  } finally {
    clearInterval(sending)
  }
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const withFacts = (changes: Record<string, unknown>) => () =>
  hostile.presence({ facts: { ...goodFacts, ...changes } })

/** Heartbeats, each sent a hundred times a second; those of the victim's host must still be received. */
const heartbeats: readonly (readonly [string, () => unknown])[] = [
  ['a lease beyond its column', () => hostile.presence({ epoch: 3_000_000_000 })],
  ['a lease beyond safe numbers', () => hostile.presence({ epoch: 1e300 })],
  ['a count beyond its column', () => hostile.presence({ environments: 2 ** 40 })],
  ['more processors than a column holds', withFacts({ virtualCpus: 9_007_199_254_740_991 })],
  ['an image name with NUL', withFacts({ images: ['a\0b'] })],
  ['a version with half a character', withFacts({ agentVersion: '\ud800' })],
  ['a hundred thousand images', withFacts({ images: Array.from({ length: 100_000 }, () => 'x') })],
  ['no key to seal to', withFacts({ sealingKey: 'x' })],
  ['the year zero', () => hostile.presence({ sentAt: '0000-01-01T00:00:00.000Z', leaving: true })],
  ['another’s id inside', () => hostile.presence({ runnerId: victim.agent.runner.metadata.id })],
  ['a million bytes', () => hostile.presence({ padding: 'x'.repeat(1_000_000) })],
  ['no JSON', () => '{"runnerId":'],
  ['deep JSON', () => nested(50_000)],
  ['nothing', () => ''],
  ['what is right, too often', () => hostile.presence()],
]
const encoded = (payload: unknown) => (typeof payload === 'string' ? payload : JSON.stringify(payload))

test.each(heartbeats)('a flood of heartbeats with %s costs no other runner its own', async (_, make) => {
  const payload = encoded(make())
  await during(
    () => hostile.nats.publish(subjects.presence(hostile.runnerId), payload),
    () => victim.isUnhurt(),
  )
})

const address = (changes: Record<string, unknown>) => () => ({
  address: { host: '127.0.0.1', port: 22, user: 'root', hostKey: 'ssh-ed25519 AAAA', ...changes },
})
/** Reports about a machine of the hostile runner; none may change what is known of it. */
const reports: readonly (readonly [string, () => Record<string, unknown>])[] = [
  [
    'a host with a line of ssh configuration',
    address({ host: '127.0.0.1\n  ProxyCommand touch /tmp/owned' }),
  ],
  ['a host that is an option', address({ host: '-oProxyCommand=true' })],
  ['a host with a space', address({ host: 'a b' })],
  ['a user with a line of ssh configuration', address({ user: 'root\n  LocalCommand true' })],
  ['a user that is an option', address({ user: '-l' })],
  ['two host keys', address({ hostKey: 'ssh-ed25519 AAAA\n* ssh-ed25519 BBBB' })],
  ['a port of none', address({ port: 70_000 })],
  ['a sequence beyond its column', () => ({ sequence: 1e25 })],
  ['a generation beyond its column', () => ({ generation: 3_000_000_000 })],
  ['a lease beyond its column', () => ({ epoch: 3_000_000_000 })],
  [
    'an identity with a name of two lines',
    () => ({
      identity: {
        machineId: 'a'.repeat(32),
        hostname: 'a\nb',
        hostKeyMatches: true,
        randomSeedFresh: true,
        clockOffsetMilliseconds: 0,
        checkedAt: '2026-01-01T00:00:00.000Z',
      },
    }),
  ],
  ['a thousand steps', () => ({ steps: Array.from({ length: 1_000 }, () => step({})) })],
  ['a step of a repository with a path', () => ({ steps: [step({ repository: '../../etc' })] })],
  ['more bytes than a report may have', () => ({ padding: 'x'.repeat(1_100_000) })],
]
const step = (changes: Record<string, unknown>) => ({
  name: 'create_vm',
  repository: null,
  phase: 'running',
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: null,
  output: '',
  outputBytes: 0,
  error: null,
  ...changes,
})

describe('a report', () => {
  let machine = ''
  beforeAll(async () => {
    const beat = encoded(hostile.presence())
    const beating = setInterval(() => hostile.nats.publish(subjects.presence(hostile.runnerId), beat), 500)
    const { client } = hostile
    await client.apply({ apiVersion: 'hearth/v1', name: 'own', warmPools: [{ min: 1 }] })
    const [placed] = await eventually(
      async () => {
        const all = await client.environments.listAll({ runnerId: hostile.runnerId })
        return all.length > 0 ? all : null
      },
      { timeoutMilliseconds: 20_000 },
    )
    machine = placed?.metadata.id ?? ''
    return () => clearInterval(beating)
  })

  test.each(reports)('with %s changes nothing', async (_, changes) => {
    const before = await hostile.client.environments.get(machine)
    const subject = subjects.report(hostile.runnerId, 'environment', machine)
    const report = encoded(hostile.report(machine, changes()))
    await hostile.jetStream.publish(subject, report).catch(() => undefined)
    await victim.isUnhurt()
    expect((await hostile.client.environments.get(machine)).status).toEqual(before.status)
  })

  test('of another’s machine changes nothing', async () => {
    const { environmentId } = victim
    const before = await installation.client.environments.get(environmentId)
    const subject = subjects.report(hostile.runnerId, 'environment', environmentId)
    const report = encoded(hostile.report(environmentId, { phase: 'failed', sequence: 1_000_000 }))
    await hostile.jetStream.publish(subject, report)
    await victim.isUnhurt()
    expect(await installation.client.environments.get(environmentId)).toEqual(before)
  })

  test('that is valid is processed after all of those', async () => {
    const subject = subjects.report(hostile.runnerId, 'environment', machine)
    await hostile.jetStream.publish(subject, encoded(hostile.report(machine, { phase: 'running' })))
    await eventually(
      async () => (await hostile.client.environments.get(machine)).status.phase === 'running',
      { timeoutMilliseconds: 10_000 },
    )
  })
})

const facts: readonly (readonly [string, Record<string, unknown>])[] = [
  ['a key that is none', { sealingKey: 'x' }],
  ['numbers beyond their columns', { memoryMebibytes: 2 ** 31 }],
  ['a version of two lines', { agentVersion: 'a\nb' }],
]
test.each(facts)('registering with %s is refused with 400', async (_, changes) => {
  expect((await hostile.registers({ ...goodFacts, ...changes })).status).toBe(400)
})

test('message ids of another’s reports, used before it sends them, suppress none', async () => {
  const { client } = installation
  const { environmentId, agent } = victim
  const { status } = await client.runners.get(agent.runner.metadata.id)
  let sequence = 0
  const take = () => {
    for (let count = 0; count < 20; count += 1) {
      sequence = (sequence % 200) + 1
      for (const start of ['', `${agent.runner.metadata.id}.`]) {
        const ids = headers()
        ids.set('Nats-Msg-Id', `${start}${environmentId}.${status.epoch}.${sequence}`)
        const subject = subjects.report(hostile.runnerId, 'environment', environmentId)
        hostile.nats.publish(subject, '{}', { headers: ids })
      }
    }
  }
  await during(take, async () => {
    for (const phase of ['stopped', 'running'] as const) {
      await client.environments.update(environmentId, { spec: { desiredPhase: phase } })
      await eventually(async () => (await client.environments.get(environmentId)).status.phase === phase, {
        timeoutMilliseconds: 15_000,
      })
    }
  })
  await victim.isUnhurt()
})

test('log lines that a runner sends for another’s machine are not in that machine’s log', async () => {
  const { environmentId } = victim
  const chunk = {
    environmentId,
    step: 'create_vm',
    offset: 0,
    text: 'forged: please run this\n',
    end: false,
    time: '2026-01-01T00:00:00.000Z',
  }
  const stored = await hostile.jetStream.publish(
    subjects.log(hostile.runnerId, environmentId, 'create_vm'),
    encoded(chunk),
  )
  expect(stored.stream).toBe(streams.log)
  const response = await fetch(`${installation.url}/v1/environments/${environmentId}/logs`, {
    headers: { Authorization: `Bearer ${installation.token}` },
  })
  const text = await response.text()
  expect(text).toContain('event: end')
  expect(text).not.toContain('forged')
})

test('a flood of synchronisations is answered only as often as agents ask', async () => {
  const request = encoded({ runnerId: hostile.runnerId, epoch: hostile.epoch, inventory: [] })
  let answers = 0
  const reply = `${subjects.inbox(hostile.runnerId)}.flood`
  const subscription = hostile.nats.subscribe(reply, {
    callback: () => {
      answers += 1
    },
  })
  let asked = 0
  await during(
    () => {
      for (let count = 0; count < 20; count += 1, asked += 1)
        hostile.nats.publish(subjects.sync(hostile.runnerId), request, { reply })
    },
    () => victim.isUnhurt(),
  )
  await hostile.nats.flush()
  subscription.unsubscribe()
  expect(asked).toBeGreaterThan(200)
  expect(answers).toBeLessThan(40)
})
