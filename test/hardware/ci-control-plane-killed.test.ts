import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type GuestService, startGuestService } from '../bench/guest-service.ts'
import { startHearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { makeRepository } from './git-server.ts'

/** The shipped control plane as a process of its own, which can be killed. */
let guests: GuestService

const projectFile = `apiVersion: hearth/v1
name: shop
tasks:
  slow: { command: 'echo begun >>/root/begun; sleep 20; echo over; cat /root/begun; exit 5' }
warmPools: [{ environmentClass: measured, min: 1 }]
`

beforeAll(async () => {
  guests = await startGuestService(1)
  await makeRepository(join(guests.folder, 'git'), 'shop', { 'hearth.yaml': projectFile })
  await chmod(join(guests.folder, 'git'), 0o755)
})
afterAll(async () => {
  await guests?.[Symbol.asyncDispose]()
})

it('a task that hearth ci follows runs once and ends with its status, though the control plane is killed meanwhile', async () => {
  const { service } = guests
  const { client } = service
  const file = join(guests.folder, 'git', 'work', 'hearth.yaml')
  const up = await startHearth(service, ['apply', '-f', file]).ended
  expect(up.status, up.stderr).toBe(0)
  // The host has room for one machine: a claim before it is ready would wait for another.
  const pools = () => client.warmPools.listAll({})
  await until(client, 'the pool', pools, ([pool]) => pool?.status.ready === 1, 300_000)
  const caller = startHearth(service, ['ci', 'slow', '-f', file])
  const [running] = await until(
    client,
    'the task',
    () => client.tasks.listAll({ name: 'ci-slow' }),
    ([task]) => task?.status.phase === 'running',
    300_000,
  )
  await service.crashControlPlane()
  const ended = await caller.ended
  expect([ended.status, ended.stdout], ended.stderr).toEqual([
    5,
    expect.stringMatching(/over\nbegun\nslow failed after/),
  ])
  expect(ended.stdout.match(/begun/g)).toHaveLength(1)
  const task = await client.tasks.get(running?.metadata.id ?? '')
  expect(task.status).toMatchObject({ runs: 1, run: { exitCode: 5 } })
})
