import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { type Claim, claimSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { startHearth } from './command.ts'
import { untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'

/** Claims that are bound late, by the shipped agent on synthetic hosts. */
let installation: Installation
let agents: AgentProcess[]
const secret = `s3cr3t-${newId()}`
const logged: string[] = []
const log = pino(
  { level: 'trace' },
  new Writable({
    write(chunk: Buffer, _, done) {
      logged.push(chunk.toString())
      done()
    },
  }),
)

beforeAll(async () => {
  installation = await startInstallation({ log })
  agents = []
  const steps = {
    quick: {},
    slow: { HEARTH_SYNTHETIC_STEP_MILLISECONDS: '1500' },
    missing: { HEARTH_SYNTHETIC_FAILURES: 'checkout_repo:1' },
    broken: { HEARTH_SYNTHETIC_FAILURES: 'start_command:1' },
  }
  for (const [name, settings] of Object.entries(steps)) {
    const { client } = installation
    const agent = await startAgentProcess(installation, name, settings)
    agents.push(agent)
    await client.runners.update(agent.runnerId, { labels: { kind: name } })
    await client.environmentClasses.create({
      name,
      spec: {
        ...{ image: 'debian-12', virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 2 },
        runnerSelector: { kind: name },
      },
    })
    await client.apply({
      apiVersion: 'hearth/v1',
      name,
      repositories: [{ url: 'https://git.example/shop.git' }, { url: 'https://git.example/api.git' }],
      variables: { GREETING: 'hello' },
      warmPools: [{ environmentClass: name, min: 1 }],
    })
  }
}, 180_000)
afterAll(async () => {
  for (const agent of agents) await agent[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const all = {
  variables: { GREETING: 'bonjour', TOKEN: { value: secret, secret: true } },
  repositories: [
    { name: 'shop', ref: 'pull/12' },
    { name: 'api', ref: 'v1.2' },
  ],
  hostname: 'review-12',
  startCommand: `make run # ${secret.slice(0, 3)}`,
}
const bound = [
  'bind_variables succeeded',
  'bind_hostname succeeded',
  'checkout_repo.shop succeeded',
  'checkout_repo.api succeeded',
  'start_command succeeded',
]
const stepsOf = ({ status }: Claim) =>
  status.binding?.steps.map(
    ({ name, repository, phase }) => `${name}${repository === null ? '' : `.${repository}`} ${phase}`,
  )
type Spec = Partial<Parameters<Installation['client']['claims']['create']>[0]['spec']>
const claim = (project: string, spec: Spec = all) =>
  installation.client.claims.create({ spec: { project, publicKey: newPublicKey(), ...spec } })
const until = async (made: Claim, isSo: (seen: Claim) => boolean) =>
  eventually(
    async () => {
      const seen = await installation.client.claims.get(made.metadata.id)
      return isSo(seen) ? seen : null
    },
    { timeoutMilliseconds: 60_000 },
  )
const settled = (made: Claim) => until(made, ({ status }) => status.phase !== 'pending')
const ready = async (name: string) => {
  const { client } = installation
  const { items } = await client.warmPools.list({})
  const project = await client.projects.get(name)
  const pool = items.find(({ spec }) => spec.projectId === project.metadata.id)
  await untilPool(client, pool?.metadata.id ?? '', ({ status }) => status.phase === 'ready')
  return pool?.metadata.id ?? ''
}
const inGuest = (agent: AgentProcess | undefined, { status }: Claim, file: string) =>
  readFileSync(join(agent?.stateFolder ?? '', 'environments', status.environmentId ?? '', file), 'utf8')

test('a ready member is bound to its claim, which waits for that; the machine has what was asked for and was not restarted', async () => {
  await ready('quick')
  const made = await claim('quick')
  expect(made.status).toMatchObject({ phase: 'pending', source: 'running', connection: null, boundAt: null })
  expect(made.status.binding).toMatchObject({ phase: 'pending', attempt: 1 })
  expect(made.status.deadline).not.toBeNull()
  const seen = await installation.client.claims.wait(made.metadata.id, 30)
  expect(seen.status).toMatchObject({ phase: 'bound', deadline: null, failure: null })
  expect(seen.status.connection?.certificate).toBeTruthy()
  expect(seen.status.binding).toMatchObject({ phase: 'bound', boundAt: expect.any(String) })
  expect(stepsOf(seen)).toEqual(bound)
  expect(seen.spec).toMatchObject({
    variables: { GREETING: 'bonjour' },
    secretNames: ['TOKEN'],
    hostname: 'review-12',
    waitFor: 'bound',
  })
  expect(inGuest(agents[0], seen, 'guest-home-.env')).toBe(`GREETING='bonjour'\nTOKEN='${secret}'\n`)
  expect(JSON.parse(inGuest(agents[0], seen, 'machine.json')).identity.hostname).toBe('review-12')
  const environment = await installation.client.environments.get(seen.status.environmentId ?? '')
  expect(environment.status.restarts).toBeNull()
  expect(environment.specVersion).toBe(1)
  const why = await installation.client.claims.why(made.metadata.id)
  expect(why.sentence).toMatch(/checkout_repo\.shop.* was bound at /)
  expect(why.evidence.map(({ what }) => what)).toContain('checkout_repo.api succeeded')
})

test('one that waits for the address alone is bound at once, and its binding goes on', async () => {
  await ready('slow')
  const made = await claim('slow', { ...all, waitFor: 'address' })
  expect(made.status).toMatchObject({ phase: 'bound', binding: { phase: 'pending' } })
  expect(made.status.connection?.address.host).toBe('127.0.0.1')
  const during = await until(made, ({ status }) => status.binding?.phase === 'running')
  expect((await installation.client.claims.why(made.metadata.id)).sentence).toMatch(/is being bound since/)
  expect(during.status.phase).toBe('bound')
  const after = await until(made, ({ status }) => status.binding?.phase === 'bound')
  expect(stepsOf(after)).toEqual(bound)
})

test.each(['suspended', 'stopped', 'cold'] as const)(
  'a %s one is bound when its machine runs',
  async (source) => {
    const { client } = installation
    const pool = source === 'cold' ? { min: 0 } : { min: 1, running: 0, rest: source }
    const { warmPools } = await client.apply({
      apiVersion: 'hearth/v1',
      name: `rests-${source}`,
      repositories: [{ url: 'https://git.example/shop.git' }, { url: 'https://git.example/api.git' }],
      warmPools: [{ environmentClass: 'quick', ...pool }],
    })
    if (source !== 'cold')
      await eventually(
        async () => {
          const { items } = await client.environments.list({})
          const isMember = ({ spec }: (typeof items)[number]) => spec.warmPoolId === warmPools[0]?.id
          return items.some((each) => isMember(each) && each.status.phase === source) ? true : null
        },
        { timeoutMilliseconds: 60_000 },
      )
    const seen = await settled(await claim(`rests-${source}`))
    expect(seen.status).toMatchObject({ phase: 'bound', source })
    expect(stepsOf(seen)).toEqual(bound)
    expect(seen.status.connection?.address.host).toBe('127.0.0.1')
  },
)

test('a reference that is missing fails the claim by name; its machine is left for a look; a retry binds once more; it can be deleted', async () => {
  const { client } = installation
  await ready('missing')
  const failed = await settled(await claim('missing'))
  expect(failed.status.failure).toMatchObject({
    code: 'clone_failed',
    step: 'checkout_repo',
    message: expect.stringContaining('git checkout pull/12 of shop'),
    lastLines: expect.arrayContaining(['simulated failure, as the settings say']),
  })
  expect(failed.status).toMatchObject({ phase: 'failed', binding: { phase: 'failed' } })
  expect(failed.status.connection?.address.host).toBe('127.0.0.1')
  const environmentId = failed.status.environmentId ?? ''
  expect((await client.environments.get(environmentId)).status).toMatchObject({
    phase: 'running',
    failure: null,
  })
  const why = await client.claims.why(failed.metadata.id)
  expect(why.sentence).toContain('it could not be bound')
  expect(why.next).toContain(`hearth retry ${failed.metadata.name}`)
  const retried = await client.claims.retry(failed.metadata.id)
  expect(retried.status).toMatchObject({
    phase: 'pending',
    failure: null,
    binding: { attempt: 2, phase: 'pending' },
  })
  const again = await settled(retried)
  expect(again.status).toMatchObject({
    phase: 'failed',
    binding: { attempt: 2, phase: 'failed' },
    environmentId,
  })
  // It is nobody else's.
  const other = await claim('missing', {})
  expect(other.status.environmentId).not.toBe(environmentId)
  await client.claims.release(failed.metadata.id)
  await until(failed, ({ status }) => status.phase === 'released')
})

test('one that is deleted by force while it is being bound is released, and its secrets are forgotten', async () => {
  await ready('slow')
  const made = await claim('slow')
  expect(await secretsOf(made)).toBe(1)
  await installation.client.claims.release(made.metadata.id, { force: true })
  await until(made, ({ status }) => status.phase === 'released')
  expect(await secretsOf(made)).toBe(0)
})

test('a start command that fails, fails the claim; with the address alone it fails afterwards', async () => {
  await ready('broken')
  const made = await claim('broken', { startCommand: 'make run', waitFor: 'address' })
  expect(made.status.phase).toBe('bound')
  const failed = await until(made, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toMatchObject({ step: 'start_command', code: 'command_failed' })
})

test('an agent that is killed in the middle neither loses nor repeats a step', async () => {
  const agent = agents[1] as AgentProcess
  await ready('slow')
  const made = await claim('slow')
  const during = await until(made, (seen) => stepsOf(seen)?.includes('checkout_repo.shop running') ?? false)
  await agent.kill()
  await agent.start()
  const seen = await settled(made)
  expect(seen.status.phase).toBe('bound')
  expect(stepsOf(seen)).toEqual(bound)
  const begun = ({ status }: Claim, name: string) =>
    status.binding?.steps.find((step) => step.name === name)?.startedAt
  for (const name of ['bind_variables', 'bind_hostname']) expect(begun(seen, name)).toBe(begun(during, name))
  const folder = join(agent.stateFolder, 'environments', seen.status.environmentId ?? '')
  const entries = readdirSync(folder).filter((name) => name.startsWith('step-checkout_repo.shop'))
  expect(entries).toHaveLength(1)
})

test('what is wrong is refused before a machine is taken, with the field, and values that may be secret are not repeated', async () => {
  await ready('quick')
  const request = async (spec: object) => {
    const response = await fetch(`${installation.url}/v1/claims`, {
      method: 'POST',
      headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ spec: { project: 'quick', publicKey: newPublicKey(), ...spec } }),
    })
    return { status: response.status, text: await response.text() }
  }
  const count = async () => (await installation.client.claims.listAll({}, {})).length
  const before = await count()
  for (const [spec, field] of [
    [{ variables: { 'A-B': secret } }, 'body.spec.variables.A-B'],
    [{ variables: { UID: secret } }, 'body.spec.variables.UID'],
    [{ variables: { A: { value: `${secret}\0`, secret: true } } }, 'body.spec.variables.A'],
    [{ repositories: [{ name: 'nope', ref: 'main' }] }, 'body.spec.repositories.0.name'],
    [{ repositories: [{ name: 'shop', ref: '--upload-pack=x' }] }, 'body.spec.repositories.0.ref'],
    [{ hostname: 'not a name' }, 'body.spec.hostname'],
  ] as const) {
    const { status, text } = await request(spec)
    expect(status, text).toBe(400)
    expect(text).toContain(field)
    expect(text).not.toContain(secret)
  }
  expect((await request({ repositories: [{ name: 'nope', ref: 'main' }] })).text).toContain(
    'one of shop, api',
  )
  expect(await count()).toBe(before)
})

test('a request that is repeated under its key gets the same answer, and binds one machine', async () => {
  await ready('quick')
  const headers = {
    authorization: `Bearer ${installation.token}`,
    'content-type': 'application/json',
    'idempotency-key': newId(),
  }
  const body = JSON.stringify({ spec: { project: 'quick', publicKey: newPublicKey(), ...all } })
  const post = async () =>
    (await fetch(`${installation.url}/v1/claims`, { method: 'POST', headers, body })).text()
  const first = await post()
  const made = claimSchema.parse(JSON.parse(first))
  await settled(made)
  expect(await post()).toBe(first)
  expect((await settled(made)).status.phase).toBe('bound')
})

test('the command takes it all, a secret from its environment, and shows the steps; logs show what they printed', async () => {
  await ready('quick')
  const words = ['claim', 'quick', '--var', 'GREETING=salut', '--secret', 'TOKEN', '--ref', 'shop=next']
  const options = ['--hostname', 'review-13', '--start', 'make run']
  const taken = await startHearth(installation, [...words, ...options], { TOKEN: secret }).ended
  expect(taken).toMatchObject({ status: 0 })
  expect(taken.stderr + taken.stdout).toMatch(/checkout_repo\.shop succeeded/)
  const [, name = ''] = /^Claim: +(\S+)$/m.exec(taken.stdout) ?? []
  const logs = await startHearth(installation, ['logs', name]).ended
  expect(logs.stdout).toMatch(/^checkout_repo\.shop \| ==> git checkout next of shop$/m)
  expect(logs.stdout).toMatch(/^start_command \| /m)
  expect((await startHearth(installation, ['why', name]).ended).stdout).toMatch(/was bound at/)
  const told = await startHearth(installation, ['claim', 'quick', '--secret', `TOKEN=${secret}`]).ended
  expect(told.status).not.toBe(0)
  expect(told.stderr).not.toContain(secret)
})

test('the secret is nowhere in plain: not in PostgreSQL, NATS, events, logs or what agents keep but for the guests themselves', async () => {
  const places = { postgresql: await everyRow(installation.database.url), log: logged.join('') }
  const { items } = await installation.client.claims.list({})
  expect(JSON.stringify(items)).not.toContain(secret)
  for (const [place, text] of Object.entries(places)) expect(text.includes(secret), place).toBe(false)
  expect(filesWith(installation.nats.storeFolder, 'bind_variables')).not.toEqual([])
  expect(filesWith(installation.nats.storeFolder, secret)).toEqual([])
  for (const agent of agents)
    for (const file of filesWith(agent.stateFolder, secret)) expect(file).toMatch(/guest-home-\.env$/)
})

/** How many secrets of a claim are stored. */
async function secretsOf({ metadata }: Claim): Promise<number> {
  const database = new pg.Client({ connectionString: installation.database.url })
  await database.connect()
  try {
    const { rowCount } = await database.query('SELECT name FROM claim_secrets WHERE claim_id = $1', [
      metadata.id,
    ])
    return rowCount ?? 0
  } finally {
    await database.end()
  }
}

/** Every row of every table, as text; binary columns as what they hold. */
async function everyRow(url: string): Promise<string> {
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  try {
    const { rows: tables } = await database.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    )
    const texts: string[] = []
    for (const { name } of tables) {
      const { rows } = await database.query<Record<string, unknown>>(`SELECT * FROM ${name}`)
      for (const row of rows)
        for (const value of Object.values(row))
          texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : (JSON.stringify(value) ?? ''))
    }
    expect(texts.join('').length).toBeGreaterThan(10_000)
    return texts.join('\n')
  } finally {
    await database.end()
  }
}

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .filter((file) => readFileSync(file, 'latin1').includes(text))
}
