import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import type { Call, Environment } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Commands and files in running machines, which the synthetic host runs for real. */
let installation: Installation
let second: Replica
let agent: SyntheticAgent
let client: HearthClient
let projectId: string
let environmentClassId: string
const patience = { timeoutMilliseconds: 30_000 }

beforeAll(async () => {
  installation = await startInstallation()
  second = await startReplica(installation)
  client = installation.client
  agent = await startSyntheticAgent(installation, {
    name: 'calls',
    labels: { kind: 'calls' },
    environment: { HEARTH_SYNTHETIC_COMMANDS: 'run' },
    timings: { heartbeat: 200, progressReport: 0 },
  })
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  const made = await client.environmentClasses.create({
    name: 'called',
    spec: { ...size, runnerSelector: { kind: 'calls' } },
  })
  environmentClassId = made.metadata.id
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    variables: { STAGE: 'test' },
    secrets: { API_KEY: 's3cret-of-the-shop' },
    warmPools: [{ environmentClass: 'called', min: 0 }],
  })
  projectId = applied.projectId
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await second?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const whenIn = (id: string, phase: Environment['status']['phase']) =>
  eventually(async () => {
    const environment = await client.environments.get(id)
    return environment.status.phase === phase ? environment : null
  }, patience)

async function machine(life?: { idleSeconds: number }): Promise<string> {
  const spec = { projectId, environmentClassId, ...(life === undefined ? {} : { life }) }
  const { metadata } = await client.environments.create({ spec })
  await whenIn(metadata.id, 'running')
  return metadata.id
}

const run = (
  id: string,
  command: string,
  more: { timeoutSeconds?: number; workingDirectory?: string } = {},
) => client.environments.exec(id, { command, ...more })

/** What is in `/home` of a machine. */
const inHome = (id: string, name: string) =>
  readFileSync(join(agent.stateFolder, 'environments', id, 'home', name), 'utf8')

async function refusal(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  return call.then(
    () => ({ code: 'none', message: '' }),
    (thrown: { code: string; message: string }) => ({ code: thrown.code, message: thrown.message }),
  )
}

/** One try, whatever its answer. */
const once = (url = installation.url, token = installation.token) =>
  new HearthClient({ url, token, retries: 0 })

describe('a command', () => {
  test('has the variables of its machine and both outputs apart, in which secrets are masked', async () => {
    const id = await machine()
    expect(await run(id, 'echo "$STAGE $PWD"; echo "key $API_KEY." >&2; exit 3')).toEqual({
      exitCode: 3,
      timedOut: false,
      stdout: 'test /home\n',
      stderr: 'key ***.\n',
      stdoutCut: false,
      stderrCut: false,
    })
    await run(id, 'mkdir -p deep/er', { workingDirectory: '/home' })
    expect((await run(id, 'pwd', { workingDirectory: 'deep/er' })).stdout).toBe('/home/deep/er\n')
    expect(await refusal(run(id, 'pwd', { workingDirectory: 'none' }))).toMatchObject({ code: 'not_found' })
  })

  test('that prints without end, stands still or is left costs its caller alone', async () => {
    const [id, other] = await Promise.all([machine(), machine()])
    const leaving = new AbortController()
    const left = client.environments.exec(
      id,
      { command: 'echo $$ >left; sleep 1000' },
      { signal: leaving.signal },
    )
    const gone = refusal(left)
    const [endless, still, done] = await Promise.all([
      run(id, 'yes', { timeoutSeconds: 2 }),
      run(id, 'sleep 1000', { timeoutSeconds: 1 }),
      run(other, 'echo done'),
    ])
    expect([endless.timedOut, endless.exitCode, endless.stdoutCut]).toEqual([true, null, true])
    expect(endless.stdout).toBe('y\n'.repeat(512 * 1024))
    expect(still).toMatchObject({ timedOut: true, stdout: '' })
    expect(done.stdout).toBe('done\n')
    const pid = inHome(id, 'left').trim()
    leaving.abort()
    await gone
    await eventually(
      async () =>
        (await run(id, `kill -0 ${pid} && ! grep -q '^[0-9]* (.*) Z' /proc/${pid}/stat`)).exitCode !== 0,
      patience,
    )
  })

  test('is one of eight at most in a machine, and takes no place in others', async () => {
    const [id, other] = await Promise.all([machine(), machine()])
    const waiting = Array.from({ length: 8 }, (_, index) =>
      run(id, `echo >in-${index}; until [ -e go ]; do sleep 0.1; done`),
    )
    await eventually(
      () => Array.from({ length: 8 }, (_, index) => inHome(id, `in-${index}`)).length === 8,
      patience,
    )
    expect(await refusal(once().environments.exec(id, { command: 'true' }))).toEqual({
      code: 'rate_limited',
      message: '8 calls are open to the machine, which is as many as may be',
    })
    expect((await run(other, 'true')).exitCode).toBe(0)
    // Its files are on the host.
    writeFileSync(join(agent.stateFolder, 'environments', id, 'home', 'go'), '')
    for (const { exitCode } of await Promise.all(waiting)) expect(exitCode).toBe(0)
    expect((await run(id, 'true')).exitCode).toBe(0)
  })

  test('is run once under its key by two replicas, and refused when another comes under it', async () => {
    const id = await machine()
    const command = 'echo run >>runs; sleep 0.5; echo $RANDOM'
    const keyed = (url: string, body: { command: string }, key: string) =>
      once(url).environments.exec(id, body, { idempotencyKey: key })
    const urls = [installation.url, second.url, installation.url, second.url]
    const all = await Promise.all(urls.map((url) => keyed(url, { command }, 'one')))
    for (const each of [...all, await keyed(second.url, { command }, 'one')]) expect(each).toEqual(all[0])
    expect(inHome(id, 'runs')).toBe('run\n')
    expect(await refusal(keyed(second.url, { command: 'true' }, 'one'))).toMatchObject({
      code: 'idempotency_mismatch',
    })
    await keyed(installation.url, { command }, 'another')
    expect(inHome(id, 'runs')).toBe('run\nrun\n')
  })

  test('whose caller lost the connection is not run again when it asks once more', async () => {
    const id = await machine()
    const body = { command: 'echo run >>runs; until [ -e go ]; do sleep 0.05; done; echo whole' }
    const leaving = new AbortController()
    const lost = once().environments.exec(id, body, { idempotencyKey: 'lost', signal: leaving.signal })
    const gone = refusal(lost)
    await eventually(() => inHome(id, 'runs') === 'run\n', patience)
    leaving.abort()
    await gone
    const again = once(second.url).environments.exec(id, body, { idempotencyKey: 'lost' })
    await run(id, 'touch go')
    expect((await again).stdout).toBe('whole\n')
    expect(inHome(id, 'runs')).toBe('run\n')
  })
})

test('a file is written, read in parts and listed', async () => {
  const id = await machine()
  const write = (path: string, text: string, mode?: 'append' | 'create') =>
    client.environments.writeFile(id, {
      path,
      content: Buffer.from(text).toString('base64'),
      ...(mode === undefined ? {} : { mode }),
    })
  expect(await write('src/main.ts', 'export {}')).toEqual({ bytes: 9 })
  await write('/home/src/main.ts', '\n', 'append')
  expect(await refusal(write('src/main.ts', '', 'create'))).toMatchObject({ code: 'conflict' })
  const read = await client.environments.readFile(id, { path: 'src/main.ts', offset: 7, length: 100 })
  expect(read).toMatchObject({ kind: 'file', size: 10, content: Buffer.from('{}\n').toString('base64') })
  expect(await client.environments.readFile(id, { path: 'src' })).toEqual({
    kind: 'folder',
    entries: [{ name: 'main.ts', isFolder: false, size: 10 }],
    entriesCut: false,
  })
  expect(await refusal(client.environments.readFile(id, { path: 'none' }))).toEqual({
    code: 'not_found',
    message: 'there is no /home/none in the machine',
  })
  const body = { path: 'log', content: Buffer.from('line\n').toString('base64'), mode: 'append' as const }
  for (const url of [installation.url, second.url])
    await once(url).environments.writeFile(id, body, { idempotencyKey: 'line' })
  expect(inHome(id, 'log')).toBe('line\n')
})

describe('who and what is refused', () => {
  test('a machine that does not run, with what it is; it is called into again once it does', async () => {
    const id = await machine()
    await run(id, 'echo kept >kept')
    for (const phase of ['stopped', 'suspended'] as const) {
      await client.environments.update(id, { spec: { desiredPhase: phase } })
      await whenIn(id, phase)
      const refused = await refusal(run(id, 'true'))
      expect(refused.code).toBe('conflict')
      expect(refused.message).toMatch(
        new RegExp(`is ${phase}, and only one that is running.*: resume it first, as by .hearth resume`),
      )
      await client.environments.update(id, { spec: { desiredPhase: 'running' } })
      await whenIn(id, 'running')
      expect((await run(id, 'cat kept')).stdout).toBe('kept\n')
    }
    expect(await refusal(run(newId(), 'true'))).toMatchObject({ code: 'not_found' })
  })

  test('whoever may not enter the machine', async () => {
    const member = await client.tokens.create({ name: 'member', roles: ['member'] })
    const viewer = await client.tokens.create({ name: 'viewer', roles: ['viewer'] })
    const claim = await client.claims.create({
      spec: { project: 'shop', fallback: 'cold', publicKey: newPublicKey() },
    })
    const { status } = await eventually(async () => {
      const seen = await client.claims.get(claim.metadata.id)
      return seen.status.phase === 'bound' ? seen : null
    }, patience)
    const id = status.environmentId ?? ''
    const as = (token: string) => once(installation.url, token).environments
    for (const { secret } of [member, viewer]) {
      expect(await refusal(as(secret).exec(id, { command: 'true' }))).toMatchObject({ code: 'forbidden' })
      expect(await refusal(as(secret).readFile(id, { path: '/' }))).toMatchObject({ code: 'forbidden' })
    }
  })

  test('a call of another lease, and of a machine that is not the runner’s', async () => {
    const id = await machine()
    const messaging: Messaging = await connectMessaging({
      servers: [installation.nats.url],
      name: 'calls of a test',
      credentials: installation.nats.controlPlaneCredentials ?? '',
    })
    const { epoch } = (await client.runners.get(agent.runner.metadata.id)).status
    const call: Call = {
      ...{ call: 'read', id: newId(), runnerId: agent.runner.metadata.id, epoch, environmentId: id },
      ...{ path: '/home', offset: 0, length: 1 },
    }
    const options = { deadlineMilliseconds: 10_000, signal: new AbortController().signal }
    expect((await messaging.call(call, options)).reply.reply).toBe('folder')
    expect(await refusal(messaging.call({ ...call, epoch: epoch + 1 }, options))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('another agent acts'),
    })
    expect(await refusal(messaging.call({ ...call, environmentId: newId() }, options))).toMatchObject({
      code: 'not_found',
    })
    await messaging.close()
  })

  test('a machine whose agent ends meanwhile, or is away, within seconds', async () => {
    const away = await startSyntheticAgent(installation, {
      name: 'away',
      labels: { kind: 'away' },
      environment: { HEARTH_SYNTHETIC_COMMANDS: 'run' },
      timings: { heartbeat: 200, progressReport: 0 },
    })
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
    const made = await client.environmentClasses.create({
      name: 'away',
      spec: { ...size, runnerSelector: { kind: 'away' } },
    })
    const { metadata } = await client.environments.create({
      spec: { projectId, environmentClassId: made.metadata.id },
    })
    const { id } = metadata
    await whenIn(id, 'running')
    const running = refusal(once().environments.exec(id, { command: 'echo >begun; sleep 1000' }))
    const begun = join(away.stateFolder, 'environments', id, 'home', 'begun')
    await eventually(() => readFileSync(begun, 'utf8') === '\n', patience)
    const began = performance.now()
    await away.stop()
    expect(await running).toMatchObject({ code: 'unavailable' })
    expect(await refusal(once().environments.exec(id, { command: 'true' }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/away|no agent of the host/),
    })
    expect(performance.now() - began).toBeLessThan(20_000)
    await away[Symbol.asyncDispose]()
  })

  test('a machine that is ended while a command runs in it', async () => {
    const id = await machine()
    const running = refusal(once().environments.exec(id, { command: 'echo >begun; sleep 1000' }))
    await eventually(() => inHome(id, 'begun') === '\n', patience)
    agent.crash(id)
    expect(await running).toEqual({ code: 'conflict', message: 'the machine does not run' })
  })
})

test('a member of a pool that somebody calls into belongs to the pool no more', async () => {
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'pooled',
    warmPools: [{ environmentClass: 'called', min: 1 }],
  })
  const poolId = warmPools[0]?.id ?? ''
  const [member] = await eventually(async () => {
    const { items } = await client.environments.list({ warmPoolId: poolId, phase: 'running' })
    return items.length > 0 ? items : null
  }, patience)
  const id = member?.metadata.id ?? ''
  const other = await client.tokens.create({ name: 'no-administrator', roles: ['member'] })
  expect(
    await refusal(once(installation.url, other.secret).environments.exec(id, { command: 'true' })),
  ).toMatchObject({
    code: 'forbidden',
  })
  expect((await run(id, 'echo changed >here')).exitCode).toBe(0)
  await eventually(async () => {
    const { items } = await client.environments.list({ warmPoolId: poolId, phase: 'running' })
    return items.length > 0 && items.every(({ metadata }) => metadata.id !== id)
  }, patience)
})

test('a machine in which commands run is used', async () => {
  const id = await machine({ idleSeconds: 3 })
  for (let count = 0; count < 10; count += 1) await run(id, 'sleep 0.5')
  expect((await client.environments.get(id)).status.phase).toBe('running')
  await eventually(async () => {
    const { status } = await client.environments.get(id)
    return status.phase === 'suspended'
  }, patience)
})
