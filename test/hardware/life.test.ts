import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@hearth/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hearth, startHearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilDeleted, untilEnvironment, untilReady } from './waiting.ts'

let host: HardwareHost
let agent: HardwareAgent

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  agent = await host.startAgent('life')
  await createGuestClass(host.client, 'guest', 'debian-12')
})
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

async function history(environmentId: string): Promise<Environment[]> {
  const { items } = await host.client.events.list({ resourceId: environmentId, after: 0, limit: 1_000 })
  return items.map(({ resource }) => resource as unknown as Environment)
}

it('a real guest is suspended when nobody uses it, woken by hearth ssh, warned in its shell, and deleted at its end', async () => {
  const { client, installation } = host
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'life',
    life: { idleSeconds: 15 },
    warmPools: [{ environmentClass: 'guest', min: 1 }],
  })
  const poolId = applied.warmPools[0]?.id ?? ''
  await untilReady(client, poolId)
  const claimed = await hearth(installation, 'claim', 'life', '--lifetime', '1h', '-o', 'json')
  const { name, environmentId } = JSON.parse(claimed.stdout)
  await client.warmPools.update(poolId, { spec: { min: 0 } })
  const counting = 'i=0; while :; do i=$((i + 1)); echo $i >/root/count; sleep 1; done'
  const started = await hearth(
    installation,
    ...['exec', name, '--', 'sh', '-c', `nohup sh -c '${counting}' >/dev/null 2>&1 & echo $! >/root/pid`],
  )
  expect(started).toMatchObject({ status: 0 })

  const suspended = await untilEnvironment(
    client,
    environmentId,
    ({ status }) => status.phase === 'suspended',
  )
  expect(suspended.status.life?.over).toMatchObject({ cause: 'idle', follows: 'suspend', spanSeconds: 15 })

  // Whoever is in a shell, which wakes it, hears of the end of its lifetime.
  const session = startHearth(installation, [
    'ssh',
    name,
    '--',
    '-tt',
    'kill -0 $(cat /root/pid) && echo it counts; sleep 600',
  ])
  const woken = await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'running')
  expect(woken.status.resumed?.from).toBe('memory')
  const counted = await hearth(installation, 'exec', name, '--', 'cat', '/root/count')
  expect(Number(counted.stdout)).toBeGreaterThan(0)
  // It was over before it began, so that it is announced at once, and comes when half of it has passed since then.
  await client.environments.update(environmentId, { spec: { life: { lifetimeSeconds: 60 } } })
  const warned = await until(
    client,
    'the announcement',
    () => history(environmentId),
    (seen) => seen.some(({ status }) => status.life?.warning?.cause === 'lifetime'),
    300_000,
  )
  // The open session alone has kept it from being suspended once more.
  const wokenAt = warned.findIndex(({ status }) => status.phase === 'resuming')
  const since = warned.slice(wokenAt).filter(({ spec }) => spec.desiredPhase === 'suspended')
  expect([wokenAt > 0, since]).toEqual([true, []])
  const gone = await untilDeleted(client, environmentId)
  expect(gone.status.deletion?.reason).toBe('lifetime_over')
  const { stdout } = await session.ended
  expect(stdout).toContain('it counts')
  // It is broken into lines as wide as the terminal.
  const heard = stdout.replaceAll(/\s/g, '')
  expect(heard).toContain(`Hearth:${name}isdeletedat`)
  expect(heard).toContain(`hearthextend${name}`)
  expect(existsSync(join(agent.environmentsFolder, environmentId))).toBe(false)
  const released = await until(
    client,
    'the claim',
    () => client.claims.get(name),
    ({ status }) => status.phase === 'released',
  )
  expect(released.status.ended).toMatchObject({ cause: 'lifetime', spanSeconds: 60 })
})
