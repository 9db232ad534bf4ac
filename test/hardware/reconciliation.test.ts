import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { generateSecureShellKeyPair, LibvirtHost, LocalCommandRunner } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runAgentHere } from './agent-here.ts'
import { attempt, run } from './command.ts'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { type HardwareHost, type JoinedRunner, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'

/** The shipped agent waits for half a minute before it removes what is unwanted, and asks once more. */
const graceMilliseconds = 2_000
const removalMilliseconds = 120_000
const authority = { epoch: 1, generation: 1, assertHeld: () => Promise.resolve() }

let host: HardwareHost
let keeper: JoinedRunner
let environmentsFolder: string
const strangers: string[] = []

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  keeper = await host.joinRunner('keeper')
  environmentsFolder = join(keeper.stateFolder, 'environments')
})
afterAll(async () => {
  for (const id of strangers) await attempt(['virsh', '-q', '-c', virshUri, 'undefine', `hearth-${id}`])
  await host?.[Symbol.asyncDispose]()
})

it('an agent removes its own unwanted machines, whole or half made, and nothing else', async () => {
  const ours = await makeMachine(keeper.runner.metadata.id)
  const halfMade = newId()
  const draft = join(environmentsFolder, `.making-${keeper.runner.metadata.id}-${halfMade}`)
  await mkdir(draft)
  await writeFile(join(draft, 'machine.json.new'), '{"owner')
  // Another runner's domain, nobody's, and a folder with a disk but no domain, all with names like Hearth's own.
  const anothers = await makeMachine(newId())
  const nobodys = newId()
  await makeStrangeFolder(nobodys)
  await virsh('define', await strangeDefinition(nobodys))
  const lonely = newId()
  await makeStrangeFolder(lonely)
  strangers.push(anothers, nobodys)
  const before = await evidence([anothers, nobodys], [anothers, nobodys, lonely])

  await using _ = await runAgentHere(keeper, ({ timings }) => ({
    timings: { ...timings, removalGrace: graceMilliseconds },
  }))
  await eventually(
    async () => !existsSync(join(environmentsFolder, ours)) && !existsSync(draft) && !(await defined(ours)),
    { timeoutMilliseconds: removalMilliseconds, intervalMilliseconds: 1_000 },
  )
  expect(await evidence([anothers, nobodys], [anothers, nobodys, lonely])).toEqual(before)
})

async function makeMachine(owner: string): Promise<string> {
  const environmentId = newId()
  const maker = new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: host.imagesFolder,
    machinesFolder: environmentsFolder,
    ...layersAt(join(keeper.stateFolder, 'layers')),
    owner,
    ...guestNetwork,
    agentKey: generateSecureShellKeyPair('agent').publicKey,
    capacity: {},
    clock: systemClock,
  })
  const specification = {
    environmentId,
    hostname: 'shop',
    image: 'debian-12',
    virtualCpus: 1,
    memoryMebibytes: 256,
    diskGibibytes: 3,
    limits: {},
    userCertificateAuthority: generateSecureShellKeyPair('authority').publicKey,
    principal: `environment:${environmentId}`,
    source: null,
  }
  await maker.machines.create(specification, authority)
  return environmentId
}

async function makeStrangeFolder(id: string): Promise<void> {
  const folder = join(environmentsFolder, id)
  await mkdir(folder)
  await run(['qemu-img', 'create', '-q', '-f', 'qcow2', join(folder, 'disk.qcow2'), '64M'])
}

async function strangeDefinition(id: string): Promise<string> {
  const folder = join(environmentsFolder, id)
  const path = join(folder, 'strange.xml')
  await writeFile(
    path,
    `<domain type='qemu'><name>hearth-${id}</name><uuid>${id}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type></os><devices><disk type='file' device='disk'>
    <driver name='qemu' type='qcow2'/><source file='${join(folder, 'disk.qcow2')}'/><target dev='vda' bus='virtio'/>
    </disk></devices></domain>`,
  )
  return path
}

async function evidence(domains: readonly string[], folders: readonly string[]): Promise<string[]> {
  const definitions = await Promise.all(domains.map((id) => virsh('dumpxml', `hearth-${id}`)))
  const disks = await Promise.all(
    folders.map(async (id) => {
      const bytes = await readFile(join(environmentsFolder, id, 'disk.qcow2'))
      return createHash('sha256').update(bytes).digest('hex')
    }),
  )
  return [...definitions, ...disks]
}

async function defined(id: string): Promise<boolean> {
  return (await virsh('list', '--all', '--name')).includes(id)
}
