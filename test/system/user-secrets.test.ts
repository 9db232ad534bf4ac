import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { userSecretLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHearth } from './command.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let poolId: string
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1', timings: { heartbeat: 200 } })
  const { client } = installation
  const applied = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', warmPools: [{ min: 2 }] })
  poolId = applied.warmPools[0]?.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.ready === 2)
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function person(
  role: 'member' | 'viewer' = 'member',
): Promise<{ client: HearthClient; token: string }> {
  const name = `someone-${newId().slice(-6)}`
  const { secret: token } = await installation.client.tokens.create({ name, roles: [role] })
  return { client: new HearthClient({ url: installation.url, token }), token }
}

/** The file with the variables of a machine that somebody claims, once it is bound. */
async function variablesOf(client: HearthClient): Promise<string> {
  const claim = await client.claims.create({ spec: { warmPoolId: poolId, publicKey: newPublicKey() } })
  const bound = await until(
    client,
    'the claim to be bound',
    () => client.claims.get(claim.metadata.id),
    ({ status }) => status.phase === 'bound',
  )
  return join(agent.stateFolder, 'environments', bound.status.environmentId ?? '', 'guest-home-.env')
}

test('a machine is given the secrets of who claims it, as variables and to git, and shows none of them', async () => {
  const mine = await person()
  const keep = (spec: object) => mine.client.userSecrets.create({ spec: { value: 'any', ...spec } } as never)
  await keep({ variable: 'NPM_TOKEN', value: 'npm-secret-value' })
  await keep({ gitHost: 'git.example.com', value: 'git-secret-value' })
  await keep({ variable: 'OVER', expiresAt: '2020-01-01T00:00:00.000Z' })
  const file = await variablesOf(mine.client)
  const script = `set -a; . ${file}; set +a; echo "npm $NPM_TOKEN over [$\{OVER-none}]"
    for host in git other; do printf 'protocol=https\\nhost=%s.example.com\\n\\n' $host | git credential fill; done`
  const alone = { PATH: process.env.PATH, HOME: installation.folder, GIT_TERMINAL_PROMPT: '0' }
  const { stdout } = spawnSync('bash', ['-c', script], { env: alone, encoding: 'utf8' })
  expect(stdout).toContain('npm npm-secret-value over [none]')
  expect(stdout.match(/password=.*/g)).toEqual(['password=git-secret-value'])
  const claims = JSON.stringify(await mine.client.claims.listAll({}))
  expect(claims).toContain('NPM_TOKEN')
  expect(claims).not.toMatch(/npm-secret-value|git-secret-value/)
  const other = await person()
  await other.client.userSecrets.create({ spec: { variable: 'OTHER', value: 'of another' } })
  expect(readFileSync(await variablesOf(other.client), 'utf8')).not.toMatch(/NPM_TOKEN|GIT_CONFIG/)
})

test('nobody else sees them, and no answer has a value', async () => {
  const mine = await person()
  const { metadata } = await mine.client.userSecrets.create({
    spec: { variable: 'KEY', value: 'my-own-value' },
  })
  expect((await mine.client.userSecrets.listAll({})).map(({ spec }) => spec.variable)).toEqual(['KEY'])
  for (const { client } of [installation, await person(), await person('viewer')]) {
    expect((await client.userSecrets.listAll({})).map(({ metadata: { id } }) => id)).not.toContain(
      metadata.id,
    )
    await expect(client.userSecrets.get(metadata.id)).rejects.toThrow('there is no user secret')
  }
  const another = await person()
  for (const change of [
    () => another.client.userSecrets.update(metadata.id, { spec: { value: 'other' } }),
    () => another.client.userSecrets.delete(metadata.id),
  ])
    await expect(change()).rejects.toThrow('there is no user secret')
  const shown = await mine.client.userSecrets.get(metadata.id)
  expect(JSON.stringify(shown)).not.toContain('my-own-value')
  await mine.client.userSecrets.delete(metadata.id)
  expect(await mine.client.userSecrets.listAll({})).toEqual([])
})

test('one of a name, so many in all and so many bytes, and each refusal says so', async () => {
  const { client } = await person()
  const keep = (variable: string, value = 'x') => client.userSecrets.create({ spec: { variable, value } })
  await keep('FIRST')
  await expect(keep('FIRST')).rejects.toThrow(/FIRST/)
  await expect(keep('LARGE', 'x'.repeat(userSecretLimits.valueBytes + 1))).rejects.toThrow(/value/)
  for (let count = 0; count < 3; count += 1)
    await keep(`LARGE_${count}`, 'x'.repeat(userSecretLimits.valueBytes))
  await expect(keep('FOURTH', 'x'.repeat(userSecretLimits.valueBytes))).rejects.toThrow(
    String(userSecretLimits.totalBytes),
  )
  const left = userSecretLimits.secrets - 4
  const made = await Promise.allSettled(
    Array.from({ length: left + 3 }, (_, index) => keep(`SMALL_${index}`)),
  )
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(left)
})

test('hearth secret keeps one from standard input, gives it another value, lists and deletes it', async () => {
  const { token } = await person()
  const hearth = (words: string[], input = '') => {
    const { process, ended } = startHearth({ ...installation, token }, words)
    process.stdin?.end(input)
    return ended
  }
  expect((await hearth(['secret', 'set', 'git.example.com', '--git'], 'a token\n')).stdout).toContain(
    'is kept',
  )
  await hearth(['secret', 'set', 'git.example.com', '--git', '--days', '9'], 'another\n')
  const listed = (await hearth(['secret', 'list'])).stdout
  expect(listed).toMatch(/git\.example\.com +password for git +20/)
  expect(listed).not.toContain('another')
  expect((await hearth(['secret', 'delete', 'git.example.com'])).stdout).toContain('deleted')
  expect((await hearth(['secret', 'list'])).stdout).not.toContain('git.example.com')
})

test('they go with the last token of who kept them', async () => {
  const { client } = await person()
  const { metadata } = await client.userSecrets.create({ spec: { variable: 'KEY', value: 'any' } })
  const { principalId } = await client.whoami()
  const rows = async () => {
    const database = new pg.Client({ connectionString: installation.database.url })
    await database.connect()
    try {
      const found = await database.query('SELECT id FROM user_secrets WHERE id = $1', [metadata.id])
      return found.rowCount
    } finally {
      await database.end()
    }
  }
  expect(await rows()).toBe(1)
  const all = await installation.client.tokens.listAll({})
  for (const each of all.filter((one) => one.principalId === principalId))
    await installation.client.tokens.delete(each.id)
  expect(await rows()).toBe(0)
})
