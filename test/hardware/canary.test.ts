import { randomBytes } from 'node:crypto'
import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Prebuild } from '@hearth/contract'
import type { AgentParts, Guest } from '@hearth/runner-agent'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../system/following.ts'
import { runAgentHere } from './agent-here.ts'
import { createGuestClass, type HardwareHost, type JoinedRunner, startHost, untilActive } from './host.ts'
import { offerImage } from './images.ts'
import { filesWith } from './layer-scan.ts'

/** Time limit for a prebuild on an emulated guest, next to others on a busy host. */
const prebuildMilliseconds = 500_000
const secret = `canary-${randomBytes(16).toString('hex')}`
const marker = `marker-${randomBytes(16).toString('hex')}`
/** The secret as no search knows it, so that the command that writes it does not hold it. */
const escaped = [...Buffer.from(secret)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')

/** Many blocks, of which the guest's next files take some. */
const writeAndDelete = [
  `echo ${marker} >/root/kept`,
  `yes "$(printf '${escaped}')" | head -n 5000 >/root/notes`,
  'sync -f /root/notes; rm /root/notes; sync -f /root',
].join('\n')
const isInNoFile = `! grep -rqF "$(printf '${escaped}')" /etc /home /root /tmp /var`
const tellEverywhere = [
  'echo "curl -u me:$LOGIN https://example.org" >>/root/.bash_history',
  'echo "logged in with $LOGIN" >/var/log/set-up.log; logger -t set-up "logged in with $LOGIN"',
  'echo "$LOGIN" >/tmp/login; echo "$LOGIN" >/var/tmp/login; sync',
  'grep -lF "$LOGIN" /root/.bash_history /var/log/set-up.log /tmp/login /home/.env',
].join('\n')

let host: HardwareHost
let joined: JoinedRunner
let layersFolder: string

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  await createGuestClass(host.client, 'guest', 'debian-12')
  joined = await host.joinRunner('canary')
  layersFolder = join(joined.stateFolder, 'layers')
})
afterAll(() => host?.[Symbol.asyncDispose]())

async function prebuild(
  name: string,
  setup: string[],
  ended: (prebuild: Prebuild) => boolean,
  more: { variables?: Record<string, string>; warmPools?: { environmentClass: string; min: number }[] } = {},
): Promise<Prebuild> {
  const { client } = host
  const secrets = { OTHER: randomBytes(16).toString('hex'), CANARY: secret }
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name, setup, secrets, ...more })
  const { metadata } = await client.prebuilds.create({ spec: { projectId, environmentClassId: 'guest' } })
  const read = () => client.prebuilds.get(metadata.id)
  return until(client, `prebuild ${name}`, read, ended, prebuildMilliseconds)
}

async function logOf({ metadata }: Prebuild): Promise<string> {
  let text = ''
  for await (const piece of host.client.prebuilds.log(metadata.id)) text += piece
  return text
}

/** An agent whose guests are not scrubbed; before a layer goes, `keep` may look at it. */
const withoutScrub =
  (keep: (layerId: string) => Promise<void>) =>
  ({ host: real, openGuest }: AgentParts): Partial<AgentParts> => ({
    openGuest: (machine) => replaced<Guest>(openGuest(machine), { scrub: () => Promise.resolve() }),
    host: replaced(real, {
      layers: replaced(real.layers, {
        remove: async (layerId, authority) => {
          await keep(layerId)
          return real.layers.remove(layerId, authority)
        },
      }),
    }),
  })

it('without the scrub a secret in the blocks of a deleted file fails the prebuild, by its name and its place', async () => {
  const disk = join(host.folder, 'found.qcow2')
  const held: string[] = []
  const keep = async (layerId: string) => {
    if (held.length > 0) return
    const [found = []] = await filesWith([secret], layersFolder)
    held.push(...found)
    await copyFile(join(layersFolder, layerId, 'disk.qcow2'), disk)
  }
  await using _ = await runAgentHere(joined, withoutScrub(keep))
  await untilActive(host.client, 'canary', 0)
  const failed = await prebuild('deleted', [writeAndDelete, isInNoFile], ({ status: { phase } }) => {
    expect(phase).not.toBe('completed')
    return phase === 'failed'
  })
  const { failure, steps } = failed.status
  expect(failure?.code, failure?.message).toBe('secret_found')
  expect(steps.find(({ name }) => name === 'project_setup')?.phase).toBe('succeeded')
  const said = /the secret CANARY stands in the disk of the snapshot, at byte (\d+) of the file/
  const [, place] = said.exec(failure?.message ?? '') ?? []
  const end = Number(place) + 1
  expect((await readFile(disk)).subarray(end - secret.length, end).toString()).toBe(secret)
  // Another program finds it there too.
  expect(held).toEqual([expect.stringMatching(/disk\.qcow2$/), expect.stringMatching(/disk\.qcow2 read$/)])
  const why = await host.client.prebuilds.why(failed.metadata.id)
  for (const text of [JSON.stringify([failed, why]), await logOf(failed)]) expect(text).not.toContain(secret)
  await expect.poll(() => readdir(layersFolder), { timeout: 30_000 }).toEqual([])
})

it('with the scrub it completes, and another program finds the secret in no layer and no memory', async () => {
  const agent = await host.startJoined(joined)
  const completed = await prebuild(
    'told',
    [writeAndDelete, tellEverywhere],
    ({ status: { phase, templates, failure } }) => {
      expect(phase, JSON.stringify(failure)).not.toBe('failed')
      return phase === 'completed' && templates.some((one) => one.phase === 'ready')
    },
    { variables: { LOGIN: secret }, warmPools: [{ environmentClass: 'guest', min: 0 }] },
  )
  const log = await logOf(completed)
  for (const file of ['/root/.bash_history', '/var/log/set-up.log', '/tmp/login', '/home/.env'])
    expect(log).toContain(`${file}\n`)
  const { snapshotId, templates } = completed.status
  const memory = `${templates[0]?.snapshotId}/memory`
  const disks = [snapshotId, templates[0]?.snapshotId].map((id) => `${id}/disk.qcow2 read`)
  const [marked, linux, told] = await filesWith([marker, 'Linux version', secret], layersFolder)
  // What is there is found, in disks and memory.
  expect(marked).toEqual(expect.arrayContaining(disks))
  expect(linux).toContain(memory)
  expect(told).toEqual([])
  expect(log).not.toContain(secret)
  expect(await agent.process.log()).not.toContain(secret)
})

function replaced<Target extends object>(target: Target, change: Partial<Target>): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in change ? change : object, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => Reflect.apply(value, object, given)
    },
  })
}
