import type { Claim, Service, Task } from '@hearth/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { newPublicKey } from '../system/public-key.ts'
import { domainsOf, virsh } from './domains.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilReady } from './waiting.ts'

/** Tasks and services of a real guest whose power is cut under them. */
let host: HardwareHost
let agent: HardwareAgent
let claim: Claim

const guestMilliseconds = 300_000

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  agent = await host.startAgent('processes')
  await createGuestClass(host.client, 'guest', 'debian-12')
  const applied = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ environmentClass: 'guest', min: 1 }],
  })
  const poolId = applied.warmPools[0]?.id ?? ''
  await untilReady(host.client, poolId)
  claim = await host.client.claims.create({ spec: { project: 'shop', publicKey: newPublicKey() } })
  // No other guest boots on these processors meanwhile.
  await host.client.warmPools.update(poolId, { spec: { min: 0 } })
})
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

const taskAs = (task: Task, wanted: (task: Task) => boolean) =>
  until(
    host.client,
    `task ${task.metadata.name}`,
    () => host.client.tasks.get(task.metadata.id),
    wanted,
    guestMilliseconds,
  )
const serviceAs = (service: Service, wanted: (service: Service) => boolean) =>
  until(
    host.client,
    `service ${service.metadata.name}`,
    () => host.client.services.get(service.metadata.id),
    wanted,
    guestMilliseconds,
  )
const isRunning = ({ status }: Task | Service) => status.phase === 'running'
const inGuest = (command: string) => hearth(host.installation, 'run', claim.metadata.name, '--', command)

it('a power cut loses tasks, running none twice however young, and starts services again', async () => {
  const { client } = host
  const of = { claim: claim.metadata.name }
  const noting = (name: string) => `echo ${name} >>/root/begun; sync; sleep 100000`
  const service = await client.services.create({
    name: 'web',
    spec: {
      ...of,
      command: 'echo web >>/root/begun; sync; sleep 1; echo listening; sleep 100000',
      readiness: { kind: 'log', contains: 'listening' },
    },
  })
  const old = await client.tasks.create({ name: 'old', spec: { ...of, command: noting('old') } })
  const [ready] = await Promise.all([serviceAs(service, isRunning), taskAs(old, isRunning)])
  expect(ready.status.run?.readyAt).not.toBeNull()
  const young = await client.tasks.create({ name: 'young', spec: { ...of, command: noting('young') } })
  await taskAs(young, isRunning)
  const [domain = ''] = await domainsOf([agent.runner.metadata.id])
  await virsh('reset', domain)

  for (const task of [old, young]) {
    const { status } = await taskAs(task, ({ status }) => status.phase === 'failed')
    expect(status).toMatchObject({ runs: 1, run: { number: 1, cause: 'lost', exitCode: null } })
  }
  const again = await serviceAs(service, ({ status }) => status.phase === 'running' && status.runs > 1)
  expect(again.status).toMatchObject({ runs: 2, run: { number: 2, cause: null } })
  const runs = await client.services.runs(service.metadata.id)
  expect(runs.map(({ number, cause }) => [number, cause])).toEqual([
    [2, null],
    [1, 'lost'],
  ])
  const begun = (await inGuest('cat /root/begun')).stdout.trimEnd().split('\n')
  expect(begun.filter((name) => name !== 'young').sort()).toEqual(['old', 'web', 'web'])
  // Its power may have failed before it noted that it had begun.
  expect(begun.filter((name) => name === 'young').length).toBeLessThanOrEqual(1)
})
