import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment, Registration, Runner, StepName } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { bundle } from '../hardware/programs.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
const agents: ChildProcess[] = []

beforeAll(async () => {
  installation = await startInstallation()
})
afterEach(() => {
  for (const agent of agents.splice(0)) agent.kill('SIGKILL')
})
afterAll(() => installation?.[Symbol.asyncDispose]())

/** The shipped agent as a separate process, with its error output. */
async function startAgent(stateFolder: string): Promise<{ process: ChildProcess; said(): string }> {
  const child = spawn(process.execPath, [await bundle('runner-agent')], {
    env: {
      PATH: process.env.PATH,
      HEARTH_AGENT_STATE: stateFolder,
      HEARTH_AGENT_HOST: 'synthetic',
      HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '1000',
      HEARTH_SYNTHETIC_STEP_MILLISECONDS: '1000',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  agents.push(child)
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return { process: child, said: () => said }
}

async function newRunner(name: string): Promise<{ runner: Runner; stateFolder: string }> {
  const { runner, token } = await installation.client.runners.create({ name, labels: {}, spec: {} })
  const stateFolder = join(installation.folder, name)
  mkdirSync(stateFolder)
  const identity = { url: installation.url, runnerId: runner.metadata.id, token }
  writeFileSync(join(stateFolder, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
  return { runner, stateFolder }
}

test.each<[StepName, whileFrozen: 'goes on' | 'waits']>([
  ['project_setup', 'goes on'],
  ['create_vm', 'waits'],
])(
  'an agent frozen during %s and continued under a newer one ends and changes nothing',
  async (step, whileFrozen) => {
    const { client } = installation
    const name = `frozen-${step.replace('_', '-')}`
    const { stateFolder } = await newRunner(name)
    const older = await startAgent(stateFolder)
    const { warmPools } = await client.apply({
      apiVersion: 'hearth/v1',
      name,
      setup: ['make'],
      warmPools: [{ min: 2 }],
    })
    const id = warmPools[0]?.id ?? ''
    const inStep = await until(
      client,
      `${step} to run`,
      () => client.environments.listAll({ warmPoolId: id }),
      (all) => all.length === 2 && all.every((environment) => stepOf(environment, step)?.phase === 'running'),
    )
    older.process.kill('SIGSTOP')
    const { epoch } = (await client.runners.get(name)).status

    await startAgent(stateFolder)
    await until(
      client,
      'the newer agent',
      () => client.runners.get(name),
      ({ status }) => status.epoch > epoch,
    )
    await eventually(() => epochOnHost(stateFolder) > epoch, { timeoutMilliseconds: 10_000 })
    if (whileFrozen === 'goes on') await untilPool(client, id, ({ status }) => status.ready === 2)

    const ended = new Promise<number | null>((resolve) => older.process.once('exit', resolve))
    older.process.kill('SIGCONT')
    expect(await ended).toBe(3)
    expect(older.said()).toMatch(/another agent acts for this runner.*hearth runner join/)
    await untilPool(client, id, ({ status }) => status.ready === 2)
    const all = await client.environments.listAll({ warmPoolId: id })
    const ids = inStep.map(({ metadata }) => metadata.id).sort()
    expect(all.map(({ metadata }) => metadata.id).sort()).toEqual(ids)
    expect(readdirSync(join(stateFolder, 'environments')).sort()).toEqual(ids)
    if (whileFrozen === 'goes on') {
      const startOf = (each: Environment) => [each.metadata.id, stepOf(each, step)?.startedAt]
      expect(all.map(startOf).sort()).toEqual(inStep.map(startOf).sort())
    }
    await client.projects.delete(name)
    await eventually(() => readdirSync(join(stateFolder, 'environments')).length === 0, {
      timeoutMilliseconds: 30_000,
    })
  },
)

function stepOf({ status }: Environment, name: StepName) {
  return status.steps.find((step) => step.name === name)
}

function epochOnHost(stateFolder: string): Registration['epoch'] {
  const { epoch } = JSON.parse(readFileSync(join(stateFolder, 'epoch.json'), 'utf8')) as { epoch: number }
  return epoch
}
