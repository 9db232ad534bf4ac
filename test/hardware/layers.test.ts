import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  type LayerContractSetting,
  LibvirtHost,
  LocalCommandRunner,
  layerContract,
  SecureShellCommandRunner,
} from '@hearth/runner-agent'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { offerMuteImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { muteSpecification } from './mute-specification.ts'
import { type SecureShellServer, startSecureShellServer } from './secure-shell-server.ts'

type CommandRunner = ConstructorParameters<typeof LibvirtHost>[0]['runner']

/** The commands are the same over SSH, and host.test.ts runs such ones; a stream of bytes is another thing there. */
const streaming = layerContract.filter(([promise]) => /with its memory|on another host/.test(promise))

let folder: string
let server: SecureShellServer
const owners = [newId(), newId()] as const

beforeAll(async () => {
  folder = await newRunFolder()
  await offerMuteImage(join(folder, 'images'), 'mute')
  server = await startSecureShellServer(join(folder, 'sshd'))
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await removeRun(folder, owners)
})

describe('what hosts promise of layers, kept by libvirt on this machine', () => {
  let setting: LayerContractSetting
  beforeAll(() => {
    setting = settingOver(() => new LocalCommandRunner(), 'local')
  })
  for (const [promise, holds] of layerContract) it(promise, () => holds(setting))
})

describe('what hosts promise of layers, kept by libvirt on a machine driven over SSH', () => {
  let setting: LayerContractSetting
  beforeAll(() => {
    setting = settingOver(() => new SecureShellCommandRunner(server.login), 'driven')
  })
  afterAll(async () => {
    for (const host of [setting.host, setting.foreignHost, setting.otherHost]) await host.close()
  })
  it.each(streaming)('%s', (_, holds) => holds(setting))
})

function settingOver(runner: () => CommandRunner, name: string): LayerContractSetting {
  const hostOf = (owner: string, place: string) =>
    new LibvirtHost({
      runner: runner(),
      uri: virshUri,
      virtualization: 'qemu',
      imagesFolder: join(folder, 'images'),
      machinesFolder: join(folder, place),
      ...layersAt(join(folder, `${place}-layers`)),
      owner,
      ...guestNetwork,
      agentKey: generateSecureShellKeyPair('agent').publicKey,
      capacity: {},
      clock: systemClock,
    })
  return {
    host: hostOf(owners[0], name),
    owner: owners[0],
    foreignHost: hostOf(owners[1], name),
    otherHost: hostOf(owners[0], `${name}-other`),
    specification: muteSpecification,
    damage: async (layerId, file) => {
      const path = join(folder, `${name}-layers`, layerId, file === 'disk' ? 'disk.qcow2' : file)
      const handle = await open(path, 'r+')
      await handle.write(Buffer.from('another'), 0, 7, 100_000)
      await handle.close()
    },
  }
}
