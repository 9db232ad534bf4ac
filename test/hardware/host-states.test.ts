import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  LibvirtHost,
  LocalCommandRunner,
  type MachineSpecification,
} from '@hearth/runner-agent'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt } from './command.ts'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { offerImage, offerMuteImage } from './images.ts'
import { removeRun } from './leftovers.ts'

/** Within which a change of power is to be told. */
const toldMilliseconds = 10_000
/** A guest without an init that loads what tells QEMU of a panic, and then panics as the kernel's own test of it. */
const panickingCommandLine =
  'console=ttyS0 panic=1 rdinit=/bin/busybox -- sh -c "/bin/busybox mount -t proc proc /proc; ' +
  '/bin/busybox insmod /modules/pvpanic.ko; /bin/busybox insmod /modules/pvpanic-mmio.ko; echo c >/proc/sysrq-trigger"'

const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const stop = new AbortController()
const changed: string[] = []
let folder: string
let host: LibvirtHost
let watching: Promise<void>

beforeAll(async () => {
  folder = await newRunFolder()
  const images = join(folder, 'images')
  await offerImage(images, 'debian-12')
  await offerMuteImage(images, 'mute')
  await offerMuteImage(images, 'panicking', panickingCommandLine)
  host = new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: images,
    machinesFolder: join(folder, 'machines'),
    owner,
    ...guestNetwork,
    agentKey: generateSecureShellKeyPair('agent').publicKey,
    capacity: {},
    clock: systemClock,
  })
  watching = host.watch((id) => changed.push(id), stop.signal)
})
afterAll(async () => {
  stop.abort()
  await watching
  await removeRun(folder, [owner])
})

const specification = (image: string): MachineSpecification => {
  const environmentId = newId()
  return {
    environmentId,
    hostname: 'shop',
    image,
    virtualCpus: 1,
    memoryMebibytes: 256,
    diskGibibytes: 3,
    limits: { diskMegabytesPerSecond: 40, diskOperationsPerSecond: 500 },
    userCertificateAuthority: generateSecureShellKeyPair('authority').publicKey,
    principal: `environment:${environmentId}`,
  }
}

async function running(image: string): Promise<string> {
  const given = specification(image)
  await host.create(given, authority)
  await host.start(given.environmentId, authority)
  return given.environmentId
}

/** Does it, and waits until the watch has told of the machine. */
async function told(id: string, happen: () => Promise<unknown>): Promise<void> {
  changed.length = 0
  await happen()
  await expect.poll(() => changed, { timeout: toldMilliseconds }).toContain(id)
}

const stateOf = async (id: string) => {
  const { power, endReason, pauseReason } = await host.look(id)
  return [power, endReason, pauseReason]
}

describe('another local user of the host', () => {
  it('reads no file of a machine, running or off, and lists no folder', async () => {
    const id = await running('mute')
    const machine = join(folder, 'machines', id)
    const asNobody = (command: readonly string[]) =>
      attempt(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', ...command])
    const expectClosed = async () => {
      const names = await readdir(machine)
      expect(names).toEqual(expect.arrayContaining(['disk.qcow2', 'seed.tar', 'console.log', 'machine.json']))
      for (const name of names) {
        expect(await asNobody(['head', '-c', '1', join(machine, name)]), name).toMatchObject({ exitCode: 1 })
      }
      for (const path of [join(folder, 'machines'), machine]) {
        expect((await asNobody(['ls', path])).exitCode, path).not.toBe(0)
      }
    }
    await expectClosed()
    await host.powerOff(id, authority)
    await expectClosed()
    await host.remove(id, authority)
  })
})

describe('a change of power is told within seconds, with its cause', () => {
  it('QEMU is killed', async () => {
    const id = await running('mute')
    const pid = Number(await readFile(`/run/libvirt/qemu/hearth-${id}.pid`, 'utf8'))
    await told(id, async () => process.kill(pid, 'SIGKILL'))
    await expect.poll(() => stateOf(id)).toEqual(['crashed', 'hypervisor_gone', null])
    await host.remove(id, authority)
  })

  it('somebody suspends and resumes it', async () => {
    const id = await running('mute')
    await told(id, () => virsh('suspend', `hearth-${id}`))
    expect(await stateOf(id)).toEqual(['paused', null, 'suspended'])
    expect(await host.paused()).toContainEqual({ environmentId: id, reason: 'suspended' })
    await told(id, () => host.resume(id, authority))
    expect(await stateOf(id)).toEqual(['running', null, null])
    const limits = await virsh('blkdeviotune', `hearth-${id}`, 'vda')
    expect(limits).toMatch(/total_bytes_sec: 40000000\n(.*\n)*total_iops_sec *: 500/)
    await host.remove(id, authority)
  })

  it('its kernel panics, and it starts again when that is wanted', async () => {
    const id = await running('panicking')
    await expect.poll(() => stateOf(id), { timeout: 60_000 }).toEqual(['crashed', 'kernel_panicked', null])
    expect(changed).toContain(id)
    await host.start(id, authority)
    expect((await host.look(id)).power).toBe('running')
    await host.remove(id, authority)
  })
})
