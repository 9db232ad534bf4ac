import { existsSync, readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { isId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run, startHearth } from './command.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let sound: SyntheticAgent
let broken: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  sound = await startSyntheticAgent(installation, { name: 'sound', labels: { rack: 'a' } })
  broken = await startSyntheticAgent(installation, {
    name: 'broken',
    environment: { HEARTH_SYNTHETIC_FAILURES: 'own_identity:1' },
  })
}, 60_000)
afterAll(async () => {
  await sound?.[Symbol.asyncDispose]()
  await broken?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)

async function expectNothingLeft(): Promise<void> {
  const { client } = installation
  expect(await client.projects.listAll({})).toEqual([])
  expect(await client.environments.listAll({})).toEqual([])
  expect(await client.snapshots.listAll({})).toEqual([])
  const classes = await client.environmentClasses.listAll({})
  expect(classes.filter(({ metadata }) => metadata.name.startsWith('prove-'))).toEqual([])
  expect((await client.runners.get('sound')).metadata.labels).toEqual({ rack: 'a' })
  expect((await client.runners.get('broken')).metadata.labels).toEqual({})
  for (const { stateFolder } of [sound, broken]) {
    for (const name of ['environments', 'layers']) {
      const folder = join(stateFolder, name)
      expect(existsSync(folder) ? readdirSync(folder).filter(isId) : []).toEqual([])
    }
  }
}

test('a runner is proved step by step, and nothing is left', async () => {
  const proved = await hearth('doctor', '--prove', '--runner', 'sound', '-o', 'json')
  expect(proved).toMatchObject({ status: 0 })
  expect(JSON.parse(proved.stdout)).toEqual(
    [
      'boot from the image',
      'snapshot of the disk',
      'checkpoint, disk and memory',
      'a fork from the disk',
      'two forks from the memory',
      'restore, disk and memory',
      'suspend',
      'resume',
      'restore of the disk alone',
    ].map((step) =>
      expect.objectContaining({ step, faults: [], milliseconds: expect.any(Number) as number }),
    ),
  )
  expect(proved.stderr).toContain('its machines are pretended')
  await expectNothingLeft()
}, 180_000)

test('a runner on which it fails is said to, with the step and the cause, and nothing is left', async () => {
  const failed = await hearth('doctor', '--prove', '--runner', 'broken')
  expect(failed.status).toBe(1)
  expect(failed.stdout).toMatch(/^checkpoint, disk and memory +/m)
  expect(failed.stderr).toContain('simulated failure: the guest does not take its identity')
  await expectNothingLeft()
}, 240_000)

test('Ctrl-C ends it, and nothing is left', async () => {
  const { process: child, ended } = startHearth(installation, ['doctor', '--prove', '--runner', 'sound'])
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (text: string) => {
      if (text.includes('two forks from the memory ...')) resolve()
    })
  })
  child.kill('SIGINT')
  expect(await ended).toMatchObject({
    status: 130,
    stderr: expect.stringContaining('removing everything again'),
  })
  await expectNothingLeft()
}, 180_000)

test('of several runners one has to be named, and one that is not there is not proved', async () => {
  expect(await hearth('doctor', '--prove')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/--runner: expected one of .*sound/),
  })
  expect(await hearth('doctor', '--prove', '--runner', 'nothing')).toMatchObject({ status: 3 })
  await expectNothingLeft()
}, 60_000)

test('a layer that was cut on the host is named by the doctor, with its file and what to do', async () => {
  const { client } = installation
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', warmPools: [{ min: 0 }] })
  const { metadata: wanted } = await client.environmentClasses.get('small')
  await client.runners.update('broken', { spec: { scheduling: 'cordoned' } })
  const made = await client.environments.create({ spec: { projectId, environmentClassId: wanted.id } })
  await expect
    .poll(async () => (await client.environments.get(made.metadata.id)).status.phase, { timeout: 30_000 })
    .toBe('running')
  const created = await hearth('snapshot', 'create', made.metadata.name, '-o', 'json')
  const { metadata } = JSON.parse(created.stdout)
  const file = join(sound.stateFolder, 'layers', metadata.id, 'disk')
  const doctor = async () => {
    const variables = { HEARTH_AGENT_STATE: sound.stateFolder }
    const { stdout } = await startHearth(installation, ['doctor', '-o', 'json'], variables).ended
    const findings = JSON.parse(stdout) as { check: string }[]
    return findings.filter(({ check }) => check === 'layers')
  }
  expect(await doctor()).toMatchObject([{ level: 'ok', message: '1 layers of snapshots are whole' }])
  truncateSync(file, 10)
  expect(await doctor()).toMatchObject([
    {
      level: 'problem',
      message: expect.stringContaining(`layer ${metadata.id}: ${file} is 10 bytes long`),
      remedy: expect.stringContaining(`hearth snapshot delete ${metadata.id} --force`),
    },
  ])
}, 120_000)
