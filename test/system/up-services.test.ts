import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth } from './command.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

function up(name: string, declared: object) {
  const file = join(installation.folder, `${name}.yaml`)
  writeFileSync(file, JSON.stringify({ apiVersion: 'hearth/v1', name, warmPools: [{ min: 2 }], ...declared }))
  return hearth(installation, 'up', '-f', file)
}

test('`up` waits for the services of its machines to be ready, and shows what they wait for', async () => {
  const readiness = { kind: 'log', contains: 'listening' }
  const ended = await up('shop', {
    tasks: { build: { command: 'sleep 0.5; echo built' } },
    services: {
      web: {
        command: 'sleep 0.5; echo listening; sleep infinity',
        on: 'start',
        readiness,
        dependsOn: ['build'],
      },
      late: { command: 'sleep infinity' },
    },
  })
  expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining('services: 2 ready')])
  expect(ended.stderr).toMatch(/shop-\w+\/web: waits for task build to succeed/)
  expect(ended.stderr).toMatch(/shop-\w+\/web: ready/)
  expect(ended.stderr).not.toContain('/late:')
  expect(ended.stdout).toContain('ready: hearth claim shop')
}, 60_000)

test('`up` shows the restarts of a service that crashes, and fails with its cause and its last lines', async () => {
  const ended = await up('broken', {
    warmPools: [{ min: 1 }],
    services: {
      web: {
        command: 'echo no port; exit 3',
        on: 'start',
        restart: { policy: 'always', limit: 1, firstSeconds: 1 },
        readiness: { kind: 'log', contains: 'listening' },
      },
    },
  })
  expect(ended.status).toBe(1)
  expect(ended.stderr).toMatch(/web: run 1 ended with exit 3; restart \d of 1/)
  expect(ended.stderr).toMatch(/service broken-\w+\/web:/)
  expect(ended.stderr).toContain('the service ended with exit code 3 after 1 restarts')
  expect(ended.stderr).toContain('no port')
  expect(ended.stdout).not.toContain('ready: hearth claim')
}, 60_000)
