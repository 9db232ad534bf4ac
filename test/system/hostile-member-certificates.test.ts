import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** A member's attempts to get into machines that another may claim later, or that are not theirs any more. */

type TokenRole = 'member' | 'viewer'

let installation: Installation
const agents: SyntheticAgent[] = []
let member: HearthClient
let other: HearthClient
const publicKey = newPublicKey()

const as = async (name: string, roles: TokenRole[]) => {
  const { secret } = await installation.client.tokens.create({ name, roles })
  return new HearthClient({ url: installation.url, token: secret, retries: 0 })
}

beforeAll(async () => {
  installation = await startInstallation()
  const { client } = installation
  member = await as('member', ['member'])
  other = await as('other', ['member'])
  const failing = { HEARTH_SYNTHETIC_FAILURES: 'warm_pool_setup:1' }
  agents.push(await startSyntheticAgent(installation, { name: 'sound' }))
  agents.push(await startSyntheticAgent(installation, { name: 'broken', environment: failing }))
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 1 }
  for (const name of ['sound', 'broken']) {
    await client.runners.update(name, { labels: { host: name } })
    await client.environmentClasses.create({ name, spec: { ...size, runnerSelector: { host: name } } })
  }
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

async function readyPool(name: string): Promise<{ poolId: string; environmentId: string }> {
  const { client } = installation
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name,
    warmPools: [{ min: 1, environmentClass: 'sound' }],
  })
  const poolId = warmPools[0]?.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const [environment] = await client.environments.listAll({ warmPoolId: poolId })
  return { poolId, environmentId: environment?.metadata.id ?? '' }
}

/** Environments for which no member gets a certificate, each by another access path. */
const closed: { what: string; machine(): Promise<string>; code: 'forbidden' | 'conflict' }[] = [
  {
    what: 'an unclaimed member of a pool',
    machine: async () => (await readyPool('unclaimed')).environmentId,
    code: 'forbidden',
  },
  {
    what: 'a member that an administrator looks into',
    machine: async () => {
      const { environmentId } = await readyPool('looked-into')
      await installation.client.environments.certificate(environmentId, publicKey)
      return environmentId
    },
    code: 'forbidden',
  },
  {
    what: 'a machine that another has claimed',
    machine: async () => {
      const { poolId, environmentId } = await readyPool('claimed')
      await other.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } })
      return environmentId
    },
    code: 'forbidden',
  },
  {
    what: 'a machine of their own claim, which is released',
    machine: async () => {
      const { poolId, environmentId } = await readyPool('released')
      const claim = await member.claims.create({
        spec: { warmPoolId: poolId, fallback: 'refuse', publicKey },
      })
      await member.claims.release(claim.metadata.id)
      return environmentId
    },
    code: 'conflict',
  },
]

test.each(closed)('a member gets no certificate for $what', async ({ machine, code }) => {
  await expect(member.environments.certificate(await machine(), publicKey)).rejects.toMatchObject({ code })
})

test('an administrator who looks into a member takes it out of its pool, which makes another', async () => {
  const { client } = installation
  const { poolId, environmentId } = await readyPool('inspected')
  const { certificate, expiresAt } = await client.environments.certificate(environmentId, publicKey)
  expect(certificate).toContain('-cert-v01')
  const inspected = await client.environments.get(environmentId)
  expect(inspected.spec).toMatchObject({
    warmPoolId: null,
    inspection: { warmPoolId: poolId, keepSeconds: 8 * 3600 },
  })
  expect(inspected.status.removeAt).toBe(expiresAt)
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const claim = await member.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } })
  expect(claim.status.environmentId).not.toBe(environmentId)
  const why = await client.environments.why(environmentId)
  expect(why.sentence).toContain('an administrator, who took it out of pool inspected-')
  const instances = await client.warmPools.instances(poolId).listAll({})
  expect(instances.find(({ environment }) => environment.metadata.id === environmentId)).toMatchObject({
    purpose: 'inspection',
    state: 'unavailable',
  })
  await client.warmPools.update(poolId, { spec: { min: 0 } })
  await untilPool(client, poolId, ({ status }) => status.ready === 0)
  expect((await client.environments.get(environmentId)).spec.desiredPhase).toBe('running')
})

test('looking into a failed member does not make its pool retry sooner', async () => {
  const { client } = installation
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'fails',
    warmPools: [{ min: 1, environmentClass: 'broken', setup: ['make warm'] }],
  })
  const poolId = warmPools[0]?.id ?? ''
  const seen = await untilPool(client, poolId, ({ status }) => status.consecutiveFailures > 0)
  const failed = (await client.environments.listAll({ warmPoolId: poolId, phase: 'failed' }))[0]
  const id = failed?.metadata.id ?? ''
  await expect(member.environments.certificate(id, publicKey)).rejects.toMatchObject({ code: 'forbidden' })
  await client.environments.certificate(id, publicKey)
  const after = await client.warmPools.get(poolId)
  expect(after.status.consecutiveFailures).toBeGreaterThanOrEqual(seen.status.consecutiveFailures)
  await client.warmPools.update(poolId, { spec: { enabled: false } })
})

test('a released claim and a removed machine give no certificate any more, and the environment is gone', async () => {
  const { client } = installation
  const { poolId, environmentId } = await readyPool('gone')
  const claim = await member.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } })
  await member.claims.release(claim.metadata.id)
  await expect(member.claims.certificate(claim.metadata.id, publicKey)).rejects.toMatchObject({
    code: 'conflict',
  })
  expect((await member.claims.get(claim.metadata.id)).status.connection).toBeNull()
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'deleted')
  expect(existsSync(join(agents[0]?.stateFolder ?? '', 'environments', environmentId))).toBe(false)
})

test('one’s own machine outside of pools, and one’s own test, open as before and stay claimable by nobody', async () => {
  const { client } = installation
  const { poolId } = await readyPool('own')
  const started = await member.warmPools.tests(poolId).create({})
  const testId = started.environment.metadata.id
  await untilEnvironment(client, testId, ({ status }) => status.phase === 'running')
  expect((await member.environments.certificate(testId, publicKey)).certificate).toContain('-cert-v01')
  expect((await client.environments.get(testId)).spec).toMatchObject({ inspection: null, warmPoolId: null })
})

/** Makes two requests wait for the row of one machine, in the given order, and then releases the row. */
async function inOrder<First, Second>(
  environmentId: string,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[PromiseSettledResult<First>, PromiseSettledResult<Second>]> {
  const sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const waiting = (count: number) =>
    eventually(
      async () => {
        const { rows } = await observer.query(
          `SELECT count(*)::int AS count FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%environments%'`,
        )
        return rows[0].count >= count
      },
      { timeoutMilliseconds: 10_000 },
    )
  const observer = new pg.Client({ connectionString: installation.database.url })
  await observer.connect()
  try {
    await sql.query('BEGIN')
    await sql.query('SELECT FROM environments WHERE id = $1 FOR UPDATE', [environmentId])
    const one = first()
    await waiting(1)
    const two = second()
    await waiting(2)
    await sql.query('COMMIT')
    return await Promise.all([
      Promise.allSettled([one]).then(([result]) => result),
      Promise.allSettled([two]).then(([result]) => result),
    ])
  } finally {
    await sql.end()
    await observer.end()
  }
}

test('of a certificate and a claim at the same moment, the certificate first: the claim gets nothing of it', async () => {
  const { client } = installation
  const { poolId, environmentId } = await readyPool('certificate-first')
  const [certificate, claim] = await inOrder(
    environmentId,
    () => client.environments.certificate(environmentId, publicKey),
    () => member.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } }),
  )
  expect(certificate.status).toBe('fulfilled')
  expect(claim).toMatchObject({ status: 'rejected', reason: { code: 'pool_empty' } })
})

test('of a claim and a certificate at the same moment, the claim first: the machine stays the claim’s', async () => {
  const { client } = installation
  const { poolId, environmentId } = await readyPool('claim-first')
  const [claim, certificate] = await inOrder(
    environmentId,
    () => member.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } }),
    () => other.environments.certificate(environmentId, publicKey),
  )
  expect(claim).toMatchObject({ status: 'fulfilled', value: { status: { environmentId } } })
  expect(certificate).toMatchObject({ status: 'rejected', reason: { code: 'forbidden' } })
  const claimed = await client.environments.get(environmentId)
  expect(claimed.spec).toMatchObject({ warmPoolId: poolId, inspection: null })
})
