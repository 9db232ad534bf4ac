import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Volume } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { virsh } from './domains.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilDeleted, untilEnvironment } from './waiting.ts'

/** A volume in real guests: mounted after everything that may happen to them, and never in two. */
let host: HardwareHost
let agent: HardwareAgent
const ids: Record<'first' | 'second', string> = { first: '', second: '' }

const patience = { timeoutMilliseconds: 180_000, intervalMilliseconds: 500 }

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  agent = await host.startAgent('volumes')
  const { client } = host
  const guestClass = await createGuestClass(client, 'guest', 'debian-12')
  const project = await client.projects.create({ name: 'shop', spec: {} })
  const spec = { projectId: project.metadata.id, environmentClassId: guestClass.metadata.id }
  for (const name of ['first', 'second'] as const)
    ids[name] = (await client.environments.create({ name, spec })).metadata.id
  for (const id of Object.values(ids))
    await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
}, 600_000)
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

async function run(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await hearth(host.installation, ...words)
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}
const inGuest = (name: string, command: string) => run('exec', name, '--', 'sh', '-c', command)
const untilVolume = (wanted: (volume: Volume) => boolean) =>
  until(host.client, 'the volume', () => host.client.volumes.get('data'), wanted, 180_000)
const untilMounted = () => untilVolume(({ status }) => status.phase === 'attached' && status.isMounted)
/** What the guest says, once it answers again. */
const untilSaid = (name: string, command: string, said: string) =>
  eventually(async () => ((await inGuest(name, command).catch(() => '')) === said ? true : null), patience)

it('a volume is mounted where it is to be, for whoever logs in, and grows under its machine', async () => {
  await run('volume', 'create', 'data', '--size', '64MiB', '--mount', '/data')
  expect(await run('volume', 'attach', 'data', 'first')).toContain('/data')
  expect(await inGuest('first', 'findmnt -n -o FSTYPE /data && grep -c /data /etc/fstab')).toBe('ext4\n1')
  await inGuest('first', 'echo kept > /data/file && sync')
  await run('volume', 'resize', 'data', '256MiB')
  expect(Number(await inGuest('first', 'df --output=size -m /data | tail -n 1'))).toBeGreaterThan(200)
  const refused = await hearth(host.installation, 'volume', 'attach', 'data', 'second')
  expect(refused.stderr).toContain('is attached to environment first: detach it first')
})

it('it is mounted again after its machine was cut off, stopped, rebooted from within, and suspended', async () => {
  const { client } = host
  await virsh('destroy', `hearth-${ids.first}`)
  await until(
    client,
    'the end of the machine',
    () => client.environments.get('first'),
    ({ status }) => status.phase !== 'running',
  )
  await client.environments.update('first', { spec: { desiredPhase: 'stopped' } })
  await untilEnvironment(client, ids.first, ({ status }) => status.phase === 'stopped')
  await untilVolume(({ status }) => !status.isMounted)
  await client.environments.update('first', { spec: { desiredPhase: 'running' } })
  await untilEnvironment(client, ids.first, ({ status }) => status.phase === 'running')
  await untilMounted()
  await untilSaid('first', 'cat /data/file', 'kept')

  const boot = await inGuest('first', 'cat /proc/sys/kernel/random/boot_id')
  await inGuest('first', 'touch /tmp/before; systemctl reboot').catch(() => undefined)
  await eventually(async () => {
    const now = await inGuest('first', 'cat /proc/sys/kernel/random/boot_id').catch(() => boot)
    return now === boot ? null : true
  }, patience)
  // Nobody but the guest itself mounts it here.
  await untilSaid('first', 'findmnt -n -o TARGET /data && cat /data/file', '/data\nkept')
  expect(await inGuest('first', 'ls /tmp')).not.toContain('before')

  await run('suspend', 'first')
  const refused = await hearth(host.installation, 'volume', 'detach', 'data')
  expect(refused.stderr).toContain('its memory knows volume data')
  await run('resume', 'first')
  expect((await client.environments.get('first')).status.resumed?.from).toBe('memory')
  await untilMounted()
  expect(await inGuest('first', 'cat /data/file')).toBe('kept')
})

it('it is not taken from a program that uses it, and what was written is there in another machine', async () => {
  await inGuest('first', 'cd /data && nohup sleep 3600 >/dev/null 2>&1 & sleep 1')
  const busy = await hearth(host.installation, 'volume', 'detach', 'data')
  expect(busy.status).not.toBe(0)
  expect(`${busy.stdout}${busy.stderr}`).toMatch(/programs use it: sleep \(\d+\)/)
  await run('volume', 'detach', 'data', '--force')
  expect(await inGuest('first', 'findmnt /data; grep -c /data /etc/fstab; true')).toBe('0')
  await run('volume', 'attach', 'data', 'second', '--mount', '/srv/data')
  expect(await inGuest('second', 'cat /srv/data/file')).toBe('kept')
})

it('a copy has what it was made from, an emptied volume nothing, and neither goes with its machine', async () => {
  const { client } = host
  await run('volume', 'detach', 'data')
  await run('volume', 'snapshot', 'data', 'monday')
  await run('volume', 'create', 'copy', '--from', 'monday', '--mount', '/copy')
  await run('volume', 'clear', 'data')
  await run('volume', 'attach', 'copy', 'second')
  await run('volume', 'attach', 'data', 'second')
  expect(await inGuest('second', 'cat /copy/file; ls -A /srv/data')).toBe('kept\nlost+found')
  await client.environments.delete('second')
  await untilDeleted(client, ids.second)
  for (const name of ['data', 'copy'])
    await until(
      client,
      `volume ${name}`,
      () => client.volumes.get(name),
      ({ status }) => status.phase === 'available',
    )
  const folders = join(agent.stateFolder, 'volumes')
  for (const name of ['data', 'copy', 'monday']) {
    const { metadata } = await client.volumes.get(name)
    await run('volume', 'delete', name, '--wait')
    await eventually(async () => (existsSync(join(folders, metadata.id)) ? null : true), patience)
  }
})
