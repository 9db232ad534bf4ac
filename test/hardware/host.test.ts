import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  type HostContractSetting,
  hostContract,
  LibvirtHost,
  LocalCommandRunner,
  type MachineSpecification,
  SecureShellCommandRunner,
} from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { type SecureShellServer, startSecureShellServer } from './secure-shell-server.ts'

type CommandRunner = ConstructorParameters<typeof LibvirtHost>[0]['runner']

let folder: string
let server: SecureShellServer
const owners = [newId(), newId()] as const

beforeAll(async () => {
  folder = await newRunFolder()
  await offerImage(join(folder, 'images'), 'debian-12')
  server = await startSecureShellServer(join(folder, 'sshd'))
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await removeRun(folder, owners)
})

describe('the contract of hosts, kept by libvirt on this machine', () => {
  let setting: HostContractSetting
  beforeAll(() => {
    setting = settingOver(() => new LocalCommandRunner(), 'local')
  })
  for (const [promise, holds] of hostContract) it(promise, () => holds(setting))
})

describe('the contract of hosts, kept by libvirt on a machine driven over SSH', () => {
  let setting: HostContractSetting
  beforeAll(() => {
    setting = settingOver(() => new SecureShellCommandRunner(server.login), 'driven')
  })
  afterAll(async () => {
    await setting.host.close()
    await setting.foreignHost.close()
  })
  for (const [promise, holds] of hostContract) it(promise, () => holds(setting))
})

function settingOver(runner: () => CommandRunner, name: string): HostContractSetting {
  const hostOf = (owner: string) =>
    new LibvirtHost({
      runner: runner(),
      uri: virshUri,
      virtualization: 'qemu',
      imagesFolder: join(folder, 'images'),
      machinesFolder: join(folder, name),
      ...layersAt(join(folder, `${name}-layers`)),
      owner,
      ...guestNetwork,
      agentKey: generateSecureShellKeyPair('agent').publicKey,
      capacity: {},
      clock: systemClock,
    })
  const host = hostOf(owners[0])
  return {
    host,
    owner: owners[0],
    foreignHost: hostOf(owners[1]),
    specification,
    pause: (environmentId) => virsh('suspend', `hearth-${environmentId}`),
    connect: async (environmentId) => connectTo((await host.machines.look(environmentId)).address),
  }
}

function specification(): MachineSpecification {
  const environmentId = newId()
  return {
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
}

/** Resolves when the SSH server answers, with how to hang up. */
async function connectTo(address: Address | null): Promise<() => Promise<void>> {
  if (address === null) throw new Error('the machine has no address')
  const socket = await eventually(async () => greeted(connect(address.port, address.host)), {
    timeoutMilliseconds: 240_000,
    intervalMilliseconds: 500,
  })
  return async () => {
    socket.destroy()
  }
}

/**
 * The socket, once a server has said who it is; null where none does. Before the guest is up passt takes connections and says
 * nothing, and a server that is started by its socket waits for the first word.
 */
function greeted(socket: Socket): Promise<Socket | null> {
  return new Promise((resolve) => {
    socket.setTimeout(5_000, () => socket.destroy())
    socket.write('SSH-2.0-hearth\r\n')
    socket.once('data', () => {
      socket.setTimeout(0)
      resolve(socket)
    })
    for (const end of ['error', 'close'] as const) socket.once(end, () => resolve(null))
  })
}
