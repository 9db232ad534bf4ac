import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { snapshotSchema } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** The commands of snapshots with the shipped agent: each test goes on where the one before ended. */
let installation: Installation
let agent: SyntheticAgent
const others: SyntheticAgent[] = []
let claim: string
let environmentId: string

interface ForkResult {
  snapshot: { name: string }
  forks: { name: string; phase: string; environmentId: string; address: { port: number }; ssh: string }[]
}

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: {
      HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5',
      HEARTH_SYNTHETIC_READ_MILLISECONDS: '300',
      HEARTH_LAYERS_ADDRESS: `127.0.0.1:${await freePort()}`,
    },
  })
  const { client } = installation
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    setup: ['make'],
    warmPools: [{ min: 1 }],
  })
  const poolId = applied.warmPools[0]?.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.phase === 'ready')
  const taken = JSON.parse((await hearth('claim', 'shop', '-o', 'json')).stdout)
  claim = taken.name
  environmentId = taken.environmentId
}, 60_000)
afterAll(async () => {
  for (const one of [agent, ...others]) await one?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
/** A file in the guest of a synthetic machine, which a person could have written. */
const note = (id: string) => join(agent.stateFolder, 'environments', id, 'guest-root-note')
const write = (text: string) => writeFileSync(note(environmentId), text, { mode: 0o600 })
const read = (id: string) => readFileSync(note(id), 'utf8')

test('a snapshot of a claim is made with its memory, shown and listed', async () => {
  const made = await hearth('snapshot', 'create', claim, '--memory', '--name', 'first')
  expect(made).toMatchObject({ status: 0 })
  expect(made.stderr).toMatch(/snapshot first: ready, disk and memory, \d+ MiB, the machine stood still for/)
  expect(made.stdout).toMatch(/^Has: +disk and memory$/m)
  expect(made.stdout).toMatch(/^On rack-1: +present$/m)
  const listed = await hearth('snapshot', 'list', '--project', 'shop', '-o', 'json')
  expect(JSON.parse(listed.stdout)).toMatchObject([{ metadata: { name: 'first' }, spec: { memory: true } }])
  const shown = await hearth('snapshot', 'show', 'first', '-o', 'json')
  expect(snapshotSchema.parse(JSON.parse(shown.stdout)).status.phase).toBe('ready')
  expect((await hearth('get', 'snapshots')).stdout).toMatch(/^first +shop-\w+ +kept +ready +disk and memory/m)
}, 60_000)

const startOther = async (name: string, environment: Record<string, string> = {}) => {
  // A copy this short would be over before its progress is told.
  others.push(await startSyntheticAgent(installation, { name, environment, timings: { progressReport: 0 } }))
}

test('a snapshot is copied to another runner with its progress, and stays as it is when it is there', async () => {
  await startOther('rack-2')
  const copied = await hearth('snapshot', 'copy', 'first', '--to', 'rack-2')
  expect(copied).toMatchObject({ status: 0 })
  const title = 'copy of snapshot first to rack-2'
  expect(copied.stderr).toContain(`${title}: copying from rack-1, 0 MiB of 1 MiB`)
  expect(copied.stderr).toContain(`${title}: there`)
  expect(copied.stdout).toMatch(/^On rack-2: +present$/m)
  const again = await hearth('snapshot', 'copy', 'first', '--to', 'rack-2', '-o', 'json')
  expect(again).toMatchObject({ status: 0 })
  expect(snapshotSchema.parse(JSON.parse(again.stdout)).status.holders).toMatchObject([
    { runner: 'rack-1', phase: 'present', copiedFrom: null },
    { runner: 'rack-2', phase: 'present', copiedFrom: 'rack-1' },
  ])
}, 60_000)

test('a copy that cannot come ends with its cause, and what is not there is named', async () => {
  await startOther('full', { HEARTH_CAPACITY_DISK_GIBIBYTES: '1' })
  const refused = await hearth('snapshot', 'copy', 'first', '--to', 'full')
  expect(refused).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('copy of snapshot first to full failed\nFailed (disk_full): a copy of'),
  })
  expect(await hearth('snapshot', 'copy', 'first', '--to', 'rack-9')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('rack-9'),
  })
  expect(await hearth('snapshot', 'copy', 'last', '--to', 'rack-2')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('last'),
  })
  expect(await hearth('snapshot', 'copy', 'first')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--to'),
  })
}, 60_000)

test('a machine is put back to its newest checkpoint, with its memory or from its disk alone', async () => {
  const none = await hearth('restore', claim)
  expect(none).toMatchObject({ status: 4, stderr: expect.stringContaining('has no checkpoint') })
  write('one')
  const made = await hearth('checkpoint', claim, '--name', 'before')
  expect(made).toMatchObject({ status: 0 })
  expect(made.stderr).toContain('checkpoint before: ready, disk and memory')
  write('two')
  const restored = await hearth('restore', claim)
  expect(restored).toMatchObject({ status: 0 })
  expect(restored.stdout).toMatch(/^Put back to: +before, made/m)
  expect(restored.stdout).toMatch(/^Started from: +memory$/m)
  expect(read(environmentId)).toBe('one')
  write('three')
  const cold = await hearth('restore', claim, 'before', '--cold', '-o', 'json')
  expect(cold).toMatchObject({ status: 0 })
  expect(JSON.parse(cold.stdout).status).toMatchObject({
    phase: 'running',
    startedFrom: { from: 'disk', incarnation: 3 },
  })
  expect(read(environmentId)).toBe('one')
}, 120_000)

let forks: ForkResult
test('forks have what the machine had, are themselves, and each is a claim that can be entered', async () => {
  write('three ways')
  const made = await hearth('fork', claim, '--count', '3', '-o', 'json')
  expect(made).toMatchObject({ status: 0 })
  expect(made.stderr).toContain('3 forks: ready')
  forks = JSON.parse(made.stdout) as ForkResult
  expect(forks.forks.map(({ phase }) => phase)).toEqual(['bound', 'bound', 'bound'])
  const { client } = installation
  const environments = await Promise.all(
    forks.forks.map((fork) => client.environments.get(fork.environmentId)),
  )
  for (const { metadata, status } of environments) {
    expect(read(metadata.id)).toBe('three ways')
    expect(status.startedFrom).toMatchObject({ from: 'memory', reason: null })
    expect(status.steps).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'own_identity', phase: 'succeeded' })]),
    )
  }
  const origin = await client.environments.get(environmentId)
  const machineIds = [origin, ...environments].map(({ status }) => status.identity?.machineId)
  expect(new Set(machineIds).size).toBe(4)
  expect(origin.status.phase).toBe('running')
  for (const { name, ssh } of forks.forks) {
    expect(ssh).toMatch(/^ssh -F /)
    expect(await client.claims.get(name)).toMatchObject({ status: { phase: 'bound' } })
  }
}, 120_000)

test('a cold fork boots from the disk', async () => {
  const made = await hearth('fork', claim, '--cold', '-o', 'json')
  expect(made).toMatchObject({ status: 0 })
  const [fork] = (JSON.parse(made.stdout) as ForkResult).forks
  const environment = await installation.client.environments.get(fork?.environmentId ?? '')
  expect(environment.status.startedFrom).toMatchObject({ from: 'disk', reason: null })
  expect(read(fork?.environmentId ?? '')).toBe('three ways')
}, 60_000)

test('a snapshot in use is not deleted, and what uses it is named; forced, it goes when nothing of it is on', async () => {
  const { client } = installation
  const { name } = forks.snapshot
  const refused = await hearth('snapshot', 'delete', name)
  const [first] = forks.forks
  const machine = await client.environments.get(first?.environmentId ?? '')
  expect(refused.status).toBe(4)
  expect(refused.stderr).toContain(
    `snapshot ${name} is used by environment ${machine.metadata.name} (running)`,
  )
  const forced = await hearth('snapshot', 'delete', name, '--force')
  expect(forced).toMatchObject({ status: 4, stderr: expect.stringContaining('stop those that run first') })
  const used = await hearth('snapshot', 'delete', 'first')
  expect(used).toMatchObject({
    status: 4,
    stderr: expect.stringContaining('snapshot before: delete them first'),
  })
  expect(await hearth('snapshot', 'delete', 'first', '--force')).toMatchObject({
    status: 0,
    stdout: 'snapshot first is being deleted\n',
  })
  expect((await hearth('why', 'first')).stdout).toContain('stands on its disk')
}, 120_000)

test('released forks and deleted snapshots leave nothing on the host', async () => {
  const { client } = installation
  const claims = await client.claims.listAll({})
  for (const { metadata, status } of claims) {
    await client.claims.release(metadata.id)
    await untilEnvironment(client, status.environmentId ?? '', (one) => one.status.phase === 'deleted')
  }
  for (const { metadata } of await client.snapshots.listAll({})) {
    await client.snapshots.delete(metadata.id, { force: true })
  }
  const layers = () => readdirSync(join(agent.stateFolder, 'layers')).filter((name) => name.length === 36)
  await eventually(async () => (layers().length === 0 ? true : null), { timeoutMilliseconds: 60_000 })
}, 120_000)

test('what is not there is said, and what to do', async () => {
  expect(await hearth('snapshot', 'create', 'nothing')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('there is no claim and no environment nothing'),
  })
  expect(await hearth('fork', 'nothing')).toMatchObject({ status: 3 })
  expect(await hearth('fork', claim, '--count', '21')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('a whole number from 1 to 20 is needed'),
  })
}, 60_000)
