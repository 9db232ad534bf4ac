import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth } from './command.ts'
import { type Installation, startInstallation } from './installation.ts'
import { untilPhase } from './prebuild-installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_STEP_MILLISECONDS: '1500' },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

test('`up` follows what is being made once the pools are there, and `run` what it makes, with the steps', async () => {
  const { client, folder } = installation
  const file = join(folder, 'hearth.yaml')
  writeFileSync(
    file,
    'apiVersion: hearth/v1\nname: shop\nsetup: [make]\nprebuilds: { classes: [small] }\nwarmPools: [{ min: 0 }]\n',
  )
  expect((await hearth(installation, 'apply', '-f', file)).status).toBe(0)
  const { metadata } = await client.prebuilds.create({ spec: { projectId: 'shop' } })
  const up = await hearth(installation, 'up', '-f', file)
  expect(up.status).toBe(0)
  expect(up.stderr).toMatch(/: project_setup succeeded in /)
  expect(up.stdout).toContain(`prebuild ${metadata.name} is completed`)
  await untilPhase(installation, metadata.id, 'completed')
  const run = await hearth(installation, 'prebuild', 'run', 'shop')
  expect(run.stdout).toMatch(/^prebuild shop-small-\w+ is completed$/m)
  expect(run.stderr).toMatch(/: snapshotting$/m)
  const again = await hearth(installation, 'up', '-f', file)
  expect(again.stdout).not.toContain('prebuild')
}, 120_000)
