import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment, LifeSpec } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Lives of some seconds, with the shipped agent. */
let installation: Installation
let agent: SyntheticAgent
let poolId: string

const timings = { heartbeat: 200, activity: 100 }

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5' },
    timings,
  })
  const { client } = installation
  const applied = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', warmPools: [{ min: 2 }] })
  poolId = applied.warmPools[0]?.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.phase === 'ready')
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const untilLife = (id: string, wanted: (environment: Environment) => boolean) =>
  untilEnvironment(installation.client, id, wanted)
const phaseIs = (phase: string) => (environment: Environment) => environment.status.phase === phase

async function claim(life: LifeSpec): Promise<{ name: string; id: string; environmentId: string }> {
  const spec = { project: 'shop', publicKey: newPublicKey(), life }
  const { metadata, status } = await installation.client.claims.create({ spec })
  const environmentId = status.environmentId ?? ''
  await untilLife(environmentId, phaseIs('running'))
  return { name: metadata.name, id: metadata.id, environmentId }
}

const filesOf = (environmentId: string) => join(agent.stateFolder, 'environments', environmentId)
/** As somebody’s open SSH session is seen on a real host. */
const enter = (environmentId: string) => writeFileSync(join(filesOf(environmentId), 'connected'), '')
const leave = (environmentId: string) => rmSync(join(filesOf(environmentId), 'connected'))
const told = (environmentId: string) =>
  readdirSync(filesOf(environmentId)).filter((name) => name.startsWith('step-notice-'))

/** The events of an environment, oldest first, as it was in each. */
async function history(environmentId: string): Promise<Environment[]> {
  const { items } = await installation.client.events.list({
    resourceId: environmentId,
    after: 0,
    limit: 1_000,
  })
  return items.map(({ resource }) => resource as unknown as Environment)
}

test('a member of a pool has no life before it is claimed', async () => {
  const { items } = await installation.client.environments.list({ warmPoolId: poolId })
  expect(items.length).toBeGreaterThan(0)
  for (const { status } of items) expect(status.life).toBeNull()
})

test('a machine that nobody uses is announced to end, told in its shells, and suspended; woken it counts as used', async () => {
  const { name, environmentId } = await claim({ idleSeconds: 4 })
  const suspended = await untilLife(environmentId, phaseIs('suspended'))
  expect(suspended.status.life?.over).toMatchObject({ cause: 'idle', follows: 'suspend', spanSeconds: 4 })
  const warned = (await history(environmentId)).find(({ status }) => status.life?.warning != null)
  expect(warned?.status).toMatchObject({ phase: 'running', life: { warning: { cause: 'idle' } } })
  const { at = '', endsAt = '' } = warned?.status.life?.warning ?? {}
  expect(Date.parse(endsAt) - Date.parse(at)).toBeGreaterThanOrEqual(2_000)
  expect(Date.parse(suspended.status.life?.over?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(endsAt))
  expect(told(environmentId)).toHaveLength(1)
  expect((await hearth('why', 'claim', name)).stdout).toMatch(
    /suspended on rack-1, because nobody had used it for 4 s at/,
  )
  const before = Date.parse(suspended.status.life?.activeAt ?? '')

  // A synthetic guest has no SSH server: it is woken, and then there is nobody to talk to.
  await hearth('ssh', name)
  const woken = (await history(environmentId)).findLast(phaseIs('running'))
  expect(woken?.status.life?.over).toBeNull()
  expect(Date.parse(woken?.status.life?.activeAt ?? '')).toBeGreaterThan(before + 4_000)
  // It ends again when nobody comes, and that is told once more.
  await until(
    installation.client,
    'the second end',
    () => history(environmentId),
    (seen) => seen.findLastIndex(phaseIs('suspended')) > seen.findLastIndex(phaseIs('running')),
  )
  expect(told(environmentId)).toHaveLength(2)
  await hearth('delete', 'claim', name)
}, 60_000)

test('a machine with an open session runs on, and ends when that is over', async () => {
  const { name, environmentId } = await claim({ idleSeconds: 3, idleThen: 'stop' })
  enter(environmentId)
  const began = Date.now()
  const used = await eventually(
    async () => {
      const { status } = await installation.client.environments.get(environmentId)
      return Date.parse(status.life?.activeAt ?? '') > began + 6_000 ? status : null
    },
    { timeoutMilliseconds: 30_000 },
  )
  expect(used.phase).toBe('running')
  expect((await history(environmentId)).some(({ status }) => status.life?.over != null)).toBe(false)
  leave(environmentId)
  const stopped = await untilLife(environmentId, phaseIs('stopped'))
  expect(stopped.status.life?.over).toMatchObject({ cause: 'idle', follows: 'stop' })
  await hearth('delete', 'claim', name)
}, 60_000)

test('use that Hearth cannot see is said, and puts an announced end off', async () => {
  const { client } = installation
  const { id, environmentId } = await claim({ idleSeconds: 4 })
  await untilLife(environmentId, ({ status }) => status.life?.warning !== null)
  const used = await client.claims.activity(id)
  expect(used.status.life?.warning).toBeNull()
  const suspended = await untilLife(environmentId, phaseIs('suspended'))
  expect(Date.parse(suspended.status.life?.over?.at ?? '')).toBeGreaterThanOrEqual(
    Date.parse(used.status.life?.activeAt ?? '') + 4_000,
  )
  await client.claims.release(id)
}, 60_000)

test('a machine whose lifetime is over is deleted after it was announced, and its claim released with the cause', async () => {
  const { client } = installation
  const { id, name, environmentId } = await claim({ lifetimeSeconds: 4 })
  const gone = await untilLife(environmentId, phaseIs('deleted'))
  expect(gone.status.deletion).toMatchObject({ reason: 'lifetime_over', principalId: null })
  expect(
    (await history(environmentId)).some(({ status }) => status.life?.warning?.cause === 'lifetime'),
  ).toBe(true)
  const released = await until(
    client,
    'the claim',
    () => client.claims.get(id),
    ({ status }) => status.phase === 'released',
  )
  expect(released.status).toMatchObject({ ended: { cause: 'lifetime', spanSeconds: 4 }, life: null })
  expect((await client.claims.why(id)).sentence).toMatch(
    /it is over, because its lifetime of 4 s ended at \d{4}-/,
  )
  expect((await client.environments.why(environmentId)).sentence).toMatch(
    /deleted, because its lifetime of 4 s ended at/,
  )
  expect(existsSync(filesOf(environmentId))).toBe(false)
  const late = await hearth('extend', name)
  expect(late).toMatchObject({
    status: 4,
    stderr: expect.stringMatching(/released, because its lifetime of 4 s ended/) as string,
  })
}, 60_000)

test('an end is put off, and a machine that was put to rest at its end runs again only after that', async () => {
  const { client } = installation
  const { name, environmentId } = await claim({ lifetimeSeconds: 4, lifetimeThen: 'suspend' })
  await untilLife(environmentId, phaseIs('suspended'))
  const refused = await hearth('resume', name)
  expect(refused).toMatchObject({
    status: 4,
    stderr: expect.stringMatching(
      /its lifetime ended at .*; extend it first, as by `hearth extend /,
    ) as string,
  })
  expect((await client.environments.why(environmentId)).next).toMatch(/hearth extend/)
  const extended = await hearth('extend', name, '--by', '2h')
  expect(extended.stdout).toMatch(/^Ends: .*\(in (2 h|1 h 59 min)\), then suspended$/m)
  expect((await hearth('describe', 'environment', environmentId)).stdout).toMatch(/^Ends: .*then suspended$/m)
  expect((await hearth('get', 'claims')).stdout).toMatch(/ENDS(.*\n)+.* in \d/)
  expect(await hearth('resume', name)).toMatchObject({ status: 0 })
  const running = await untilLife(environmentId, phaseIs('running'))
  expect(running.status.life).toMatchObject({ over: null, warning: null })
  await hearth('delete', 'claim', name)
}, 60_000)

test('the nearer one says, field by field: claim, pool, project', async () => {
  const { client } = installation
  const { projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'layered',
    life: { lifetimeSeconds: 28_800, idleSeconds: 1_800, idleThen: 'stop' },
    warmPools: [{ min: 0, life: { lifetimeSeconds: 14_400, lifetimeThen: 'suspend' } }],
  })
  const {
    metadata: { id: environmentClassId },
  } = await client.environmentClasses.get('small')
  const claimed = await client.claims.create({
    spec: { project: 'layered', publicKey: newPublicKey(), life: { idleSeconds: null } },
  })
  expect(claimed.status.life).toMatchObject({
    ...{ lifetimeSeconds: 14_400, lifetimeThen: 'suspend', idleSeconds: null, idleThen: 'stop' },
  })
  const alone = await client.environments.create({
    spec: { projectId, environmentClassId, life: { idleThen: 'delete' } },
  })
  expect(alone.status.life).toMatchObject({
    ...{ lifetimeSeconds: 28_800, lifetimeThen: 'delete', idleSeconds: 1_800, idleThen: 'delete' },
  })
  const set = await hearth('pool', 'set', 'layered', '--idle', '20m', '-o', 'json')
  expect(JSON.parse(set.stdout).spec.life).toEqual({
    ...{ lifetimeSeconds: 14_400, lifetimeThen: 'suspend', idleSeconds: 1_200 },
  })
  const cleared = await hearth('pool', 'set', 'layered', '--no-life', '-o', 'json')
  expect(JSON.parse(cleared.stdout).spec.life).toEqual({})
}, 60_000)

test('the life of a machine that somebody has is changed; one that is nobody’s, and a span that is over, are refused', async () => {
  const { client } = installation
  const { id, environmentId } = await claim({ idleSeconds: 3_600 })
  const change = (life: LifeSpec, of = environmentId) => client.environments.update(of, { spec: { life } })
  await change({ idleSeconds: 1, idleThen: 'stop' })
  await untilLife(environmentId, phaseIs('stopped'))
  expect((await client.environments.get(environmentId)).status.life?.over).toMatchObject({ cause: 'idle' })
  await expect(change({ lifetimeSeconds: 1 })).rejects.toThrow(
    /lifetimeSeconds.*more than the .* that it has lived/,
  )
  const members = await client.environments.listAll({ warmPoolId: poolId })
  const free = members.find(({ status }) => status.claimId === null && status.phase === 'running')
  await expect(change({ idleSeconds: 60 }, free?.metadata.id)).rejects.toThrow(/nobody’s/)
  await client.claims.release(id)
})

test('nothing may live longer than the organization allows, and what says nothing lives as long as that', async () => {
  const { client } = installation
  const { organizationId } = await client.whoami()
  const { spec } = await client.organizations.get(organizationId)
  const setCap = (lifeCap: { lifetimeSeconds?: number; idleSeconds?: number }) =>
    client.organizations.update(organizationId, { spec: { displayName: spec.displayName, lifeCap } })
  await setCap({ lifetimeSeconds: 3_600, idleSeconds: 600 })
  try {
    const before = await client.projects.get('layered')
    const over = { lifetimeSeconds: 3_601 }
    const { projectId, environmentClassId } = (await client.warmPools.get(poolId)).spec
    const refusals: [field: string, request: () => Promise<unknown>][] = [
      ['body.spec.life', () => client.projects.create({ name: 'long', spec: { life: over } })],
      ['body.spec.life', () => client.projects.update('layered', { spec: { life: over } })],
      ['body.spec.life', () => client.warmPools.update(poolId, { spec: { life: over } })],
      [
        'body.spec.life',
        () => client.environments.create({ spec: { projectId, environmentClassId, life: over } }),
      ],
      [
        'body.spec.life',
        () => client.claims.create({ spec: { project: 'shop', publicKey: newPublicKey(), life: over } }),
      ],
      ['body.life', () => client.apply({ apiVersion: 'hearth/v1', name: 'long', life: over })],
      [
        'body.warmPools.0.life',
        () => client.apply({ apiVersion: 'hearth/v1', name: 'long', warmPools: [{ min: 0, life: over }] }),
      ],
    ]
    for (const [path, request] of refusals)
      await expect(request(), path).rejects.toMatchObject({
        code: 'invalid',
        details: [
          {
            field: `${path}.lifetimeSeconds`,
            given: '3601',
            expected: expect.stringMatching(/^at most 3600/) as string,
          },
        ],
      })
    expect(await client.projects.get('layered')).toEqual(before)
    expect((await client.projects.list({})).items.map(({ metadata }) => metadata.name)).not.toContain('long')

    const capped = await client.claims.create({ spec: { project: 'shop', publicKey: newPublicKey() } })
    expect(capped.status.life).toMatchObject({ lifetimeSeconds: 3_600, idleSeconds: 600 })
    const { beganAt = '', endsAt } = capped.status.life ?? {}
    expect(endsAt).toBe(new Date(Date.parse(beganAt) + 3_600_000).toISOString())
    await expect(client.claims.extend(capped.metadata.id, { seconds: 60 })).rejects.toMatchObject({
      code: 'invalid',
      details: [
        {
          field: 'body.seconds',
          given: '60',
          expected: expect.stringMatching(/lets machines live for 1 h/) as string,
        },
      ],
    })
    // What a project said before there was a cap is cut to it.
    const cut = await client.claims.create({ spec: { project: 'layered', publicKey: newPublicKey() } })
    expect(cut.status.life).toMatchObject({ lifetimeSeconds: 3_600, idleSeconds: 600, idleThen: 'stop' })
    // A change that does not name it keeps it.
    const renamed = await client.organizations.update(organizationId, { spec: { displayName: 'Other' } })
    expect(renamed.spec.lifeCap).toEqual({ lifetimeSeconds: 3_600, idleSeconds: 600 })
  } finally {
    await setCap({})
  }
}, 60_000)
