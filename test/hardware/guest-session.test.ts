import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { isolatedByDefault, LibvirtHost, SecureShellCommandRunner, socketsFolder } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attempt } from './command.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { LocalUser } from './local-user.ts'
import { processesWith } from './processes.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { type SecureShellServer, startSecureShellServer } from './secure-shell-server.ts'

const patience = { timeoutMilliseconds: 300_000, intervalMilliseconds: 500 }
const greeting = 'the loopback of the host'
const authority = { epoch: 1, generation: 1, assertHeld: () => Promise.resolve() }

let folder: string
let user: LocalUser
let server: SecureShellServer
let loopback: Server
let keys: KeyPair
let host: LibvirtHost
const environmentId = newId()

beforeAll(async () => {
  folder = await newRunFolder()
  await offerImage(join(folder, 'images'), 'debian-12')
  keys = await newKeyPair(join(folder, 'keys'), 'agent')
  user = await LocalUser.make(`hearth-${process.pid}`)
  server = await startSecureShellServer(join(folder, 'sshd'), user)
  loopback = createServer((socket) => socket.end(`${greeting}\n`))
  await new Promise<void>((resolve) => loopback.listen(0, '127.0.0.1', resolve))
  const runner = new SecureShellCommandRunner(server.login)
  host = new LibvirtHost({
    runner,
    uri: 'qemu:///session',
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(user.home, 'machines'),
    ...layersAt(join(user.home, 'layers')),
    owner: newId(),
    guestAddress: '127.0.0.1',
    network: isolatedByDefault,
    socketsFolder: await socketsFolder(runner, false),
    isRoot: false,
    agentKey: keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
})

afterAll(async () => {
  await host?.machines.remove(environmentId, authority)
  await host?.close()
  await server?.[Symbol.asyncDispose]()
  loopback?.close()
  await user?.[Symbol.asyncDispose]()
  await removeRun(folder)
})

it('an unprivileged user has guests too, kept from the loopback of the host, and is told what cannot be closed', async () => {
  await host.machines.create(guestSpecification(keys.publicKey, environmentId), authority)
  await host.machines.start(environmentId, authority)
  const { address } = await host.machines.look(environmentId)
  if (address === null) throw new Error('the machine has no address')
  const inGuest = (command: string) => secureShell(address, { keyPath: keys.path }, command)
  await eventually(async () => (await inGuest('true')).exitCode === 0, patience)

  const [passt = 0] = processesWith(`guests/${environmentId}/passt.sock --one-off`)
  expect(Number((await attempt(['stat', '-c', '%u', `/proc/${passt}`])).stdout)).toBe(user.id)
  const { port } = loopback.address() as { port: number }
  const reach = `timeout 10 bash -c 'exec 3<>/dev/tcp/10.0.2.2/${port} && head -n 1 <&3'`
  expect((await inGuest(reach)).stdout).not.toContain(greeting)

  const { warnings } = await host.facts()
  expect(warnings).toContainEqual(expect.stringContaining('are not filtered (the agent is not root)'))
  await host.machines.remove(environmentId, authority)
  expect((await host.machines.look(environmentId)).power).toBe('absent')
  expect(processesWith(environmentId)).toEqual([])
})
