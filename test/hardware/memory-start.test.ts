import { createHash } from 'node:crypto'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { LibvirtHost, LocalCommandRunner, type MachineSpecification } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from './command.ts'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'

const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const owner = newId()
const layerId = newId()
let folder: string
let keys: KeyPair
let host: LibvirtHost
let origin: MachineSpecification
let originAddress: Address

beforeAll(async () => {
  folder = await newRunFolder()
  await offerImage(join(folder, 'images'), 'debian-12')
  keys = await newKeyPair(join(folder, 'keys'), 'agent')
  host = new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, 'machines'),
    ...layersAt(join(folder, 'layers')),
    owner,
    ...guestNetwork,
    agentKey: keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
  origin = guestSpecification(keys.publicKey)
  await host.machines.create(origin, authority)
  await host.machines.start(origin.environmentId, authority)
  originAddress = await addressOf(origin.environmentId)
  const counter =
    'echo on disk >/home/file; sync; ' +
    `setsid bash -c 'while :; do echo $((++n)) 1<>/dev/shm/counter; sleep 0.1; done' </dev/null >/dev/null 2>&1 &`
  expect(await inGuest(originAddress, counter)).toMatchObject({ exitCode: 0 })
})
afterAll(() => removeRun(folder, [owner]))

const count = async (address: Address) => Number((await inGuest(address, 'cat /dev/shm/counter')).stdout)

it('a running machine is frozen with its memory and runs on', async () => {
  const before = await count(originAddress)
  await host.layers.freeze({ layerId, environmentId: origin.environmentId, memory: true }, authority)
  const { facts } = await host.layers.look(layerId)
  expect(facts?.memoryFault).toBeNull()
  expect(facts?.memory?.bytes).toBeGreaterThan(10 * 1024 ** 2)
  expect(facts?.pausedMilliseconds).toBeGreaterThan(0)
  expect(await count(originAddress)).toBeGreaterThan(before)
})

it('two machines go on from its memory at once, with its files and processes', async () => {
  const forks = [guestSpecification(keys.publicKey), guestSpecification(keys.publicKey)]
  await Promise.all(
    forks.map(async (given) => {
      await host.machines.create({ ...given, source: { layerId } }, authority)
      await host.machines.startFromMemory(given.environmentId, layerId, authority)
      const own = await addressOf(given.environmentId)
      expect(own.hostKey).not.toBe(originAddress.hostKey)
      // Who it is has still to be changed.
      const address = { ...own, hostKey: originAddress.hostKey }
      expect((await inGuest(address, 'cat /home/file')).stdout).toBe('on disk\n')
      const seen = await count(address)
      expect(seen).toBeGreaterThan(0)
      expect(await count(address)).toBeGreaterThan(seen)
    }),
  )
  for (const { environmentId } of forks) await host.machines.remove(environmentId, authority)
})

it('a machine on the layer’s disk boots with its files, as itself', async () => {
  const given = { ...guestSpecification(keys.publicKey), source: { layerId } }
  await host.machines.create(given, authority)
  await host.machines.start(given.environmentId, authority)
  const address = await addressOf(given.environmentId)
  expect((await inGuest(address, 'cat /home/file; test ! -e /dev/shm/counter')).stdout).toBe('on disk\n')
  await host.machines.remove(given.environmentId, authority)
})

it('a machine put back goes on from the layer’s memory again', async () => {
  const { environmentId } = origin
  await inGuest(originAddress, 'echo later >/home/file; sync')
  await host.machines.powerOff(environmentId, authority)
  await host.machines.replaceDisk(environmentId, layerId, authority)
  await host.machines.startFromMemory(environmentId, layerId, authority)
  expect((await inGuest(originAddress, 'cat /home/file')).stdout).toBe('on disk\n')
  expect(await count(originAddress)).toBeGreaterThan(0)
})

it('a suspended machine takes no memory of its host, and goes on with what ran in it', async () => {
  const { environmentId } = origin
  const before = await count(originAddress)
  await host.machines.suspend(environmentId, authority)
  expect((await host.machines.look(environmentId)).power).toBe('suspended')
  expect(await virsh('list', '--name')).not.toContain(environmentId)
  await host.machines.resumeSuspended(environmentId, authority)
  const after = await count(originAddress)
  expect(after).toBeGreaterThanOrEqual(before)
  expect(await count(originAddress)).toBeGreaterThan(after)
  expect(await readdir(join(folder, 'machines', environmentId))).not.toContain('suspended.memory')
})

it('a suspended machine whose loading was cut is still suspended; one without its memory boots', async () => {
  const { environmentId } = origin
  const path = join(folder, 'machines', environmentId, 'suspended.memory')
  await host.machines.suspend(environmentId, authority)
  // As an agent leaves it that is killed before the guest goes on.
  await virsh('restore', path, '--paused')
  expect((await host.machines.look(environmentId)).power).toBe('suspended')
  await host.machines.resumeSuspended(environmentId, authority)
  expect(await count(originAddress)).toBeGreaterThan(0)
  await host.machines.suspend(environmentId, authority)
  await truncate(path, 20 * 1024 ** 2)
  await expect(host.machines.resumeSuspended(environmentId, authority)).rejects.toMatchObject({
    code: 'memory_unusable',
  })
  expect(['shut_off', 'crashed']).toContain((await host.machines.look(environmentId)).power)
  await host.machines.start(environmentId, authority)
  expect((await inGuest(originAddress, 'cat /home/file; test ! -e /dev/shm/counter')).stdout).toBe(
    'on disk\n',
  )
})

it('a memory that QEMU does not load leaves the machine off, with the reason, and it boots', async () => {
  const folderOfLayer = join(folder, 'layers', layerId)
  const memory = join(folderOfLayer, 'memory')
  const bytes = await readFile(memory)
  bytes.fill(0xa5, bytes.indexOf('QEVM') + 64, bytes.indexOf('QEVM') + 4_096)
  await run(['chmod', '0600', memory])
  await writeFile(memory, bytes)
  const given = { ...guestSpecification(keys.publicKey), source: { layerId } }
  await host.machines.create(given, authority)
  const { environmentId } = given
  const resume = () => host.machines.startFromMemory(environmentId, layerId, authority)
  // Found by the digest, before QEMU sees it.
  await expect(resume()).rejects.toMatchObject({ code: 'memory_unusable' })
  const file = join(folderOfLayer, 'layer.json')
  const known = await readFile(file, 'utf8')
  const { facts } = await host.layers.look(layerId)
  const digest = createHash('sha256').update(bytes).digest('hex')
  await writeFile(file, known.replace(facts?.memory?.digest ?? '', digest))
  await expect(resume()).rejects.toMatchObject({
    code: 'memory_unusable',
    message: expect.stringContaining('QEMU') as string,
  })
  expect((await host.machines.look(environmentId)).power).toBe('shut_off')
  await host.machines.start(environmentId, authority)
  const address = await addressOf(environmentId)
  expect((await inGuest(address, 'cat /home/file')).stdout).toBe('on disk\n')
})

async function addressOf(environmentId: string): Promise<Address> {
  const { address } = await host.machines.look(environmentId)
  if (address === null) throw new Error('the machine has no address')
  return address
}

/** A guest that boots answers late. */
async function inGuest(address: Address, command: string) {
  const ask = (asked: string) => secureShell(address, { keyPath: keys.path }, asked)
  const patience = { timeoutMilliseconds: 300_000, intervalMilliseconds: 500 }
  await eventually(async () => (await ask('true')).exitCode === 0, patience)
  return ask(command)
}
