import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../hardware/programs.ts'
import { type Installation, startInstallation } from './installation.ts'

interface LoggedStall {
  milliseconds: number
  cause: string
  noted: string[]
}

let installation: Installation
let agent: ChildProcess
let metricsOfAgent: string
const stalls: LoggedStall[] = []

beforeAll(async () => {
  installation = await startInstallation()
  const { client, folder, url } = installation
  const { runner, token } = await client.runners.create({ name: 'watched', labels: {}, spec: {} })
  const stateFolder = join(folder, 'watched')
  mkdirSync(stateFolder)
  const identity = { url, runnerId: runner.metadata.id, token }
  writeFileSync(join(stateFolder, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
  const listen = `127.0.0.1:${await freePort()}`
  metricsOfAgent = `http://${listen}/metrics`
  // A separate process, so that the agent's event loop is measured and not this test's.
  agent = spawn(process.execPath, [await bundle('runner-agent')], {
    env: {
      PATH: process.env.PATH,
      HEARTH_AGENT_STATE: stateFolder,
      HEARTH_AGENT_HOST: 'synthetic',
      HEARTH_AGENT_LISTEN: listen,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (agent.stdout === null) throw new Error('the agent has no output')
  createInterface({ input: agent.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Partial<LoggedStall>
    if (entry.noted !== undefined) stalls.push(entry as LoggedStall)
  })
})
afterAll(async () => {
  agent?.kill('SIGKILL')
  await installation?.[Symbol.asyncDispose]()
})

/** Makes a machine of a project; returns the longest time that the agent's event loop was blocked meanwhile. */
async function longestStall(name: string, secrets: Record<string, string>, setup: string[]): Promise<number> {
  const { client } = installation
  const project = await client.projects.create({
    name,
    spec: { secrets, setup: setup.map((command, index) => ({ name: `${index}`, command })) },
  })
  const [environmentClass] = await client.environmentClasses.listAll({})
  stalls.length = 0
  const environment = await client.environments.create({
    spec: { projectId: project.metadata.id, environmentClassId: environmentClass?.metadata.id ?? '' },
  })
  const phase = async () => (await client.environments.get(environment.metadata.id)).status.phase
  await eventually(async () => (await phase()) === 'running', { timeoutMilliseconds: 90_000 })
  return Math.max(
    0,
    ...stalls.filter(({ cause }) => cause === 'busy').map(({ milliseconds }) => milliseconds),
  )
}

test('a project with the most allowed secrets and a long output does not block its agent', async () => {
  const calm = await longestStall('calm', {}, ['echo hello'])
  const values = Array.from({ length: 256 }, (_, index) => `${index}`.padStart(4, '0').repeat(500))
  const secrets = Object.fromEntries(values.map((value, index) => [`SECRET_${index}`, value]))
  // Each piece almost matches a secret: a naive comparison starts again at each letter.
  const echo = values.map((value) => value.slice(0, -1)).join('')
  const setup = Array.from(
    { length: 16 },
    (_, index) => `echo ${echo.slice(index * 16_000, (index + 1) * 16_000)}`,
  )
  const busy = await longestStall('secretive', secrets, setup)
  // It took half a minute before masking was one pass. The limit is generous because machines differ.
  expect(busy).toBeLessThanOrEqual(200 + 3 * calm)
}, 240_000)

test('a stall of the agent and of the control plane shows in the metrics', async () => {
  const read = async (url: string) => (await fetch(url)).text()
  expect(await read(metricsOfAgent)).toContain('# TYPE hearth_event_loop_stall_seconds histogram')
  // The control plane runs in this process.
  const begun = performance.now()
  while (performance.now() - begun < 300);
  const counted = /hearth_event_loop_stall_seconds_count\{cause="\w+"\} [1-9]/
  await eventually(async () => counted.test(await read(`${installation.url}/metrics`)), {
    timeoutMilliseconds: 10_000,
  })
})
