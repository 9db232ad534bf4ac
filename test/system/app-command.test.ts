import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment, Space, WebApp } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run, startHearth } from './command.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let folder: string

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  folder = join(installation.folder, 'shop')
  mkdirSync(folder)
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const configure = (more = '') =>
  writeFileSync(
    join(folder, 'bentocloud.toml'),
    `[processes.web]\ncommand = "\\nsleep infinity\\n"\nhttp = true\n${more}`,
  )

test('from a folder to a release in two commands; what is ignored is not sent', async () => {
  const made = await hearth('app', 'create', 'shop', '--runtime', 'python3', '-o', 'json')
  expect(made, made.stderr).toMatchObject({ status: 0 })
  const app = JSON.parse(made.stdout) as WebApp
  expect(app.status.phase).toBe('ready')
  configure()
  writeFileSync(join(folder, 'data.bin'), randomBytes(3_000_000))
  writeFileSync(join(folder, '.hearthignore'), '*.secret\n')
  writeFileSync(join(folder, 'key.secret'), 'x')
  const sent = await hearth('app', 'deploy', 'shop', folder, '--name', 'first', '-o', 'json')
  expect(sent, sent.stderr).toMatchObject({ status: 0 })
  expect(sent.stderr).toContain('sending 3 files to uat of shop')
  const deployment = JSON.parse(sent.stdout) as Deployment
  expect(deployment).toMatchObject({ spec: { displayName: 'first' }, status: { phase: 'succeeded' } })
  const promoted = await hearth('app', 'promote', 'shop')
  expect(promoted, promoted.stderr).toMatchObject({ status: 0 })
  expect(promoted.stdout).toMatch(/Is: +succeeded/)
  const opened = await hearth('app', 'open', 'shop', '-o', 'json')
  expect((JSON.parse(opened.stdout) as Space).status.currentDeploymentId).not.toBeNull()
  const printed = await hearth('app', 'logs', 'shop', '--tail', '5')
  expect(printed, printed.stderr).toMatchObject({ status: 0 })
  const none = await hearth('app', 'logs', 'shop', '--process', 'worker')
  expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('web')])
  const listed = await hearth('app', 'list')
  expect(listed.stdout).toMatch(/^shop +python3 +ready +uat +running/m)
}, 120_000)

test('a deployment that fails ends with 1 and its cause, and one can go back', async () => {
  configure('[deploy]\nrelease_commands = ["\\necho about to fail\\nexit 4\\n"]')
  const failed = await hearth('app', 'deploy', 'shop', folder)
  expect(failed.status).toBe(1)
  expect(failed.stderr).toMatch(/deployment shop-uat-\w+ has failed/)
  configure('[processes.worker]\ncommand = "\\nsleep infinity\\n"')
  expect(await hearth('app', 'deploy', 'shop', folder)).toMatchObject({ status: 0 })
  const back = await hearth('app', 'rollback', 'shop', '--space', 'uat')
  expect(back, back.stderr).toMatchObject({ status: 0 })
}, 120_000)

test('the app that hearth.yaml declares is made by its first deployment, and found by the next', async () => {
  configure()
  const file = join(folder, 'hearth.yaml')
  writeFileSync(file, 'apiVersion: hearth/v1\nname: board\n')
  const deploy = () => startHearth(installation, ['app', 'deploy'], {}, folder).ended
  const without = await deploy()
  expect([without.status, without.stderr]).toEqual([
    2,
    expect.stringContaining('hearth.yaml declares no app'),
  ])
  writeFileSync(
    file,
    'apiVersion: hearth/v1\nname: board\nvariables: {A: b}\napp: {runtime: nodejs, cache: redis}\n',
  )
  for (const _ of ['first', 'second']) {
    const sent = await deploy()
    expect(sent, sent.stderr).toMatchObject({ status: 0 })
  }
  const { client } = installation
  expect((await client.webApps.get('board')).spec).toMatchObject({ runtime: 'nodejs', cache: 'redis' })
  // The project of the file is as the file says.
  expect((await client.projects.get('board')).spec.variables).toEqual({ A: 'b' })
  expect(await client.environments.listAll({ name: 'board' })).toHaveLength(1)
}, 120_000)

test('what is wrong is told before anything is sent', async () => {
  writeFileSync(join(folder, 'bentocloud.toml'), '[processes.web]\ncomand = "x"')
  const faulty = await hearth('app', 'deploy', 'shop', folder)
  expect(faulty.status).toBe(2)
  expect(faulty.stderr).toContain(
    'bentocloud.toml, line 2, column 1: processes.web.comand: there is no such field',
  )
  expect((await hearth('app', 'deploy', 'none', folder)).status).toBe(3)
  expect((await hearth('app', 'create', 'x', '--runtime', 'php')).status).toBe(2)
})

test('an app is deleted', async () => {
  expect(await hearth('app', 'delete', 'shop')).toMatchObject({ status: 0 })
  const names = async () =>
    (await installation.client.webApps.listAll({})).map(({ metadata }) => metadata.name)
  await eventually(async () => !(await names()).includes('shop'), { timeoutMilliseconds: 60_000 })
}, 90_000)
