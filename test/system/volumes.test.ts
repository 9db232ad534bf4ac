import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { Volume } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { hearth as run } from './command.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation, startReplica } from './installation.ts'

/** Volumes with the shipped agent as a process of its own, which is killed where it hurts. */
let installation: Installation
let client: HearthClient
let rack: AgentProcess
let other: AgentProcess
let made = 0

beforeAll(async () => {
  installation = await startInstallation()
  client = installation.client
  const settings = { HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5' }
  rack = await startAgentProcess(installation, 'rack-1', settings)
  other = await startAgentProcess(installation, 'rack-2', settings)
  await client.projects.create({ name: 'shop', spec: {} })
  for (const runner of ['rack-1', 'rack-2']) {
    await client.runners.update(runner, { labels: { rack: runner } })
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
    await client.environmentClasses.create({
      name: runner,
      spec: { ...size, runnerSelector: { rack: runner } },
    })
  }
}, 180_000)
afterAll(async () => {
  await rack?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function machine(on = 'rack-1'): Promise<string> {
  made += 1
  const project = await client.projects.get('shop')
  const environmentClass = await client.environmentClasses.get(on)
  const { metadata } = await client.environments.create({
    name: `machine-${made}`,
    spec: { projectId: project.metadata.id, environmentClassId: environmentClass.metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  return metadata.id
}
async function volume(): Promise<string> {
  made += 1
  const name = `volume-${made}`
  return (await client.volumes.create({ name, spec: { sizeMebibytes: 64, mountPath: '/home/data' } }))
    .metadata.id
}
const untilVolume = (id: string, wanted: (volume: Volume) => boolean) =>
  until(client, 'the volume', () => client.volumes.get(id), wanted)
const untilPhase = (id: string, phase: Volume['status']['phase']) =>
  untilVolume(id, ({ status }) => status.phase === phase)
const untilMounted = (id: string) =>
  untilVolume(id, ({ status }) => status.phase === 'attached' && status.isMounted)
const contentOf = (id: string, number = 0) => join(rack.stateFolder, 'volumes', id, `disk-${number}`)
async function attached(environment: string): Promise<string> {
  const id = await volume()
  await client.volumes.attach(id, { environment })
  await untilMounted(id)
  return id
}

test('a volume is made with its first machine, outlives it, and has in the next one what was written', async () => {
  const [first, second] = [await machine(), await machine()]
  const id = await volume()
  expect((await client.volumes.get(id)).status.phase).toBe('unplaced')
  await client.volumes.attach(id, { environment: first })
  const { status } = await untilMounted(id)
  expect(status.runnerId).toBe(rack.runnerId)
  writeFileSync(join(contentOf(id), 'file'), 'kept')
  await client.environments.delete(first)
  const { spec } = await untilPhase(id, 'available')
  expect(spec.environmentId).toBeNull()
  await client.volumes.attach(id, { environment: second })
  await untilMounted(id)
  expect(readFileSync(join(contentOf(id), 'file'), 'utf8')).toBe('kept')
  expect(readFileSync(join(rack.stateFolder, 'environments', second, 'home/data/file'), 'utf8')).toBe('kept')
})

test('of many requests for it one machine gets it, the others are told which', async () => {
  const machines = await Promise.all([machine(), machine(), machine()])
  const id = await volume()
  const asked = await Promise.allSettled(
    [...machines, ...machines].map((environment) => client.volumes.attach(id, { environment })),
  )
  const { spec } = await untilMounted(id)
  const refused = asked.flatMap((answer) => (answer.status === 'rejected' ? [String(answer.reason)] : []))
  expect(refused).toHaveLength(4)
  for (const message of refused)
    expect(message).toMatch(/is attached to environment machine-\d+: detach it first/)
  const kept = JSON.parse(readFileSync(join(rack.stateFolder, 'volumes', id, 'volume.json'), 'utf8'))
  expect(kept.environmentId).toBe(spec.environmentId)
})

test('a machine on another host is refused, and so is what would take the volume from its machine', async () => {
  const here = await machine()
  const id = await attached(here)
  const there = await machine('rack-2')
  await client.volumes.detach(id)
  await untilPhase(id, 'available')
  await expect(client.volumes.attach(id, { environment: there })).rejects.toThrow(
    /is on runner rack-1, and environment machine-\d+ on runner rack-2/,
  )
  await client.volumes.attach(id, { environment: here })
  await untilMounted(id)
  await expect(client.volumes.clear(id)).rejects.toThrow(
    /which is running: detach it or stop the machine first/,
  )
  await expect(client.volumes.delete(id)).rejects.toThrow(/detach it first, or delete it with force/)
  await expect(client.volumes.snapshot(id, { name: 'no' })).rejects.toThrow(/detach it first/)
  await expect(client.volumes.update(id, { spec: { sizeMebibytes: 64 } })).resolves.toBeDefined()
  await expect(client.volumes.update(id, { spec: { mountPath: '/elsewhere' } })).rejects.toThrow(
    /detach it before/,
  )
  await untilMounted(id)
  await client.environments.update(here, { spec: { desiredPhase: 'suspended' } })
  await untilEnvironment(client, here, ({ status }) => status.phase === 'suspended')
  await expect(client.volumes.detach(id, { force: true })).rejects.toThrow(/its memory knows volume/)
  const { status } = await untilVolume(id, (seen) => !seen.status.isMounted)
  expect(status.phase).toBe('attached')
  await client.environments.update(here, { spec: { desiredPhase: 'running' } })
  await untilMounted(id)
})

test('it is emptied, copied and enlarged, and a snapshot of it stays as it was', async () => {
  const id = await attached(await machine())
  writeFileSync(join(contentOf(id), 'file'), 'monday')
  await client.volumes.detach(id)
  await untilPhase(id, 'available')
  const snapshot = await client.volumes.snapshot(id, { name: 'monday' })
  await untilPhase(snapshot.metadata.id, 'available')
  await client.volumes.clear(id)
  await untilPhase(id, 'available')
  expect(readdirSync(contentOf(id, 1))).toEqual([])
  await expect(client.volumes.attach('monday', { environment: await machine() })).rejects.toThrow(
    /is a snapshot/,
  )
  const copy = await client.volumes.create({ name: 'tuesday', spec: { from: 'monday', sizeMebibytes: 128 } })
  await untilPhase(copy.metadata.id, 'available')
  expect(readFileSync(join(contentOf(copy.metadata.id), 'file'), 'utf8')).toBe('monday')
  await client.volumes.update('tuesday', { spec: { sizeMebibytes: 256 } })
  await untilPhase(copy.metadata.id, 'available')
  await expect(client.volumes.update('tuesday', { spec: { sizeMebibytes: 64 } })).rejects.toThrow(
    /at least 256/,
  )
})

test('an agent that is killed again and again while it works ends where it was told, with one machine and all content', async () => {
  const [first, second] = [await machine(), await machine()]
  const id = await attached(first)
  writeFileSync(join(contentOf(id), 'file'), 'kept')
  for (let round = 0; round < 4; round += 1) {
    const to = round % 2 === 0 ? second : first
    await client.volumes.detach(id)
    await rack.kill()
    await rack.start()
    await untilPhase(id, 'available')
    await client.volumes.attach(id, { environment: to })
    await rack.kill()
    await rack.start()
    await untilMounted(id)
    const kept = JSON.parse(readFileSync(join(rack.stateFolder, 'volumes', id, 'volume.json'), 'utf8'))
    expect(kept.environmentId).toBe(to)
    expect(readFileSync(join(contentOf(id), 'file'), 'utf8')).toBe('kept')
  }
})

test('a control plane that takes over goes on with it, and a machine that is deleted amid attaching leaves it whole', async () => {
  const first = await machine()
  const id = await volume()
  await client.volumes.attach(id, { environment: first })
  const replica = await startReplica(installation)
  try {
    await untilMounted(id)
    writeFileSync(join(contentOf(id), 'file'), 'kept')
    await replica.client.volumes.detach(id)
    await untilPhase(id, 'available')
    await replica.client.volumes.attach(id, { environment: first })
    await client.environments.delete(first)
    await untilPhase(id, 'available')
  } finally {
    await replica.stop()
  }
  expect(readFileSync(join(contentOf(id), 'file'), 'utf8')).toBe('kept')
  expect((await client.volumes.get(id)).spec.environmentId).toBeNull()
})

test('a disk that is gone from its host is not made anew, and its end is said', async () => {
  const id = await attached(await machine())
  await client.volumes.detach(id)
  await untilPhase(id, 'available')
  await rack.kill()
  const folder = join(rack.stateFolder, 'volumes', id)
  const { rmSync } = await import('node:fs')
  rmSync(folder, { recursive: true })
  await rack.start()
  const { status } = await untilPhase(id, 'failed')
  expect(status.failure?.code).toBe('volume_missing')
  expect(existsSync(folder)).toBe(false)
  await client.volumes.delete(id)
  await until(
    client,
    'its end',
    () =>
      client.volumes.get(id).then(
        () => false,
        () => true,
      ),
    (isGone) => isGone,
  )
})

test('a project’s volumes are made once, and a claim that names one has it at once', async () => {
  const declaration = (size: string) => ({
    apiVersion: 'hearth/v1' as const,
    name: 'books',
    volumes: { data: { size, mountPath: '/data' } },
    warmPools: [{ environmentClass: 'rack-1', min: 1 }],
  })
  const applied = await client.apply(declaration('1GiB'))
  expect(applied.volumes).toMatchObject([{ name: 'books-data', change: 'created' }])
  expect((await client.apply(declaration('1GiB'))).volumes).toMatchObject([{ change: 'unchanged' }])
  expect((await client.apply(declaration('2GiB'))).volumes).toMatchObject([{ change: 'updated' }])
  expect((await client.apply(declaration('1GiB'))).volumes).toMatchObject([{ change: 'unchanged' }])
  const claimed = await run(installation, 'claim', 'books', '--volume', 'data:/srv/data', '-o', 'json')
  expect(claimed, claimed.stderr).toMatchObject({ status: 0 })
  const { name, environmentId } = JSON.parse(claimed.stdout)
  const { spec, status } = await client.volumes.get('books-data')
  expect([spec.environmentId, spec.mountPath, spec.sizeMebibytes, status.isMounted]).toEqual([
    environmentId,
    '/srv/data',
    2_048,
    true,
  ])
  const second = await run(installation, 'claim', 'books', '--volume', 'data')
  expect(second.stderr).toMatch(
    /has its machine, and volume books-data is not attached to it: .*detach it first/,
  )
  const { warmPools, ...kept } = declaration('2GiB')
  await client.apply({ ...kept, volumes: {}, warmPools })
  await client.claims.release(name)
  await untilPhase((await client.volumes.get('books-data')).metadata.id, 'available')
})

test('a claim with a volume gets a machine on the host of the volume, wherever others are ready', async () => {
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  await client.environmentClasses.create({ name: 'anywhere', spec: size })
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'maps',
    warmPools: [{ environmentClass: 'anywhere', min: 1 }],
  })
  const poolId = applied.warmPools[0]?.id ?? ''
  await until(
    client,
    'the pool',
    () => client.warmPools.get(poolId),
    ({ status }) => status.ready > 0,
  )
  const hosts = { one: rack, two: other }
  for (const [name, host] of Object.entries(hosts)) {
    await client.volumes.create({ name, spec: { sizeMebibytes: 64, mountPath: '/home/data' } })
    const environment = await machine(host === rack ? 'rack-1' : 'rack-2')
    const { metadata } = await client.volumes.attach(name, { environment })
    await untilMounted(metadata.id)
    await client.volumes.detach(name)
    await untilPhase(metadata.id, 'available')
  }
  const both = await run(installation, 'claim', 'maps', '--volume', 'one', '--volume', 'two')
  expect(both).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('one and two are on different hosts'),
  })
  for (const [name, host] of Object.entries(hosts)) {
    const claimed = await run(installation, 'claim', 'maps', '--volume', name, '-o', 'json')
    expect(claimed, claimed.stderr).toMatchObject({ status: 0 })
    const { environmentId } = JSON.parse(claimed.stdout)
    expect((await client.environments.get(environmentId)).status.runnerId).toBe(host.runnerId)
    const { spec, status } = await client.volumes.get(name)
    expect([spec.environmentId, status.isMounted]).toEqual([environmentId, true])
  }
  const { items } = await client.claims.list({ limit: 500 })
  expect(items.filter(({ spec }) => spec.warmPoolId === poolId)).toHaveLength(2)
  const refused = client.claims.create({ spec: { project: 'maps', runner: 'no-such-rack' } })
  await expect(refused).rejects.toMatchObject({ code: 'not_found' })
})

test('`hearth volume` makes, attaches, shows, explains, detaches and deletes one', async () => {
  const environment = await machine()
  const { metadata } = await client.environments.get(environment)
  const hearth = async (...words: string[]) => {
    const { status, stdout, stderr } = await run(installation, ...words)
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    return stdout
  }
  await hearth('volume', 'create', 'data', '--size', '1GiB', '--mount', '/data')
  expect(await hearth('why', 'volume', 'data')).toContain('the first machine that it is attached to')
  expect(await hearth('volume', 'attach', 'data', metadata.name)).toMatch(/Mounted at: +\/data/)
  expect(await hearth('volume', 'list')).toMatch(/data +1 GiB .*\/data +rack-1 +attached/)
  expect(await hearth('why', 'volume', 'data')).toContain(
    `it is mounted in environment ${metadata.name} at /data`,
  )
  const { metadata: frozen } = await client.snapshots.create({ name: 'bare', spec: { environment } })
  const { status: bare } = await until(
    client,
    'the snapshot',
    () => client.snapshots.get(frozen.id),
    ({ status }) => status.phase === 'ready',
  )
  expect(bare.volumesLeftOut).toEqual([{ name: 'data', mountPath: '/data' }])
  expect(await hearth('why', 'snapshot', 'bare')).toContain('without its volume (data at /data)')
  const refused = await run(installation, 'volume', 'delete', 'data')
  expect([refused.status === 0, refused.stderr.includes('detach it first')]).toEqual([false, true])
  await hearth('volume', 'resize', 'data', '2GiB')
  await hearth('volume', 'detach', 'data')
  await hearth('volume', 'snapshot', 'data', 'copy')
  await hearth('volume', 'clear', 'data')
  for (const name of ['data', 'copy']) await hearth('volume', 'delete', name, '--wait')
  const left = readdirSync(join(rack.stateFolder, 'volumes'))
  const known = (await client.volumes.listAll({})).map((each) => each.metadata.id)
  expect(left.filter((name) => !known.includes(name))).toEqual([])
})
