import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  LibvirtHost,
  LocalCommandRunner,
  SecureShellCommandRunner,
  type VolumeContractSetting,
  volumeContract,
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

describe('what hosts promise of volumes, kept by libvirt on this machine', () => {
  let setting: VolumeContractSetting
  beforeAll(() => {
    setting = settingOver(() => new LocalCommandRunner(), 'local')
  })
  for (const [promise, holds] of volumeContract) it(promise, () => holds(setting))
})

describe('what hosts promise of volumes, kept by libvirt on a machine driven over SSH', () => {
  let setting: VolumeContractSetting
  beforeAll(() => {
    setting = settingOver(() => new SecureShellCommandRunner(server.login), 'driven')
  })
  afterAll(async () => {
    for (const host of [setting.host, setting.foreignHost]) await host.close()
  })
  for (const [promise, holds] of volumeContract) it(promise, () => holds(setting))
})

function settingOver(runner: () => CommandRunner, name: string): VolumeContractSetting {
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
  return {
    host: hostOf(owners[0]),
    owner: owners[0],
    foreignHost: hostOf(owners[1]),
    specification: muteSpecification,
  }
}
