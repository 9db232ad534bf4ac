import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  LibvirtHost,
  LocalCommandRunner,
  type MachineSpecification,
} from '@hearth/runner-agent'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, run } from './command.ts'
import { virsh, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { offerImage, offerMuteImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'

/** Time within which a change of power must be reported. */
const toldMilliseconds = 10_000
/**
 * A guest without an init. It loads the module that tells QEMU of a panic, then panics as the kernel's own test does.
 */
const panickingCommandLine =
  'console=ttyS0 panic=1 rdinit=/bin/busybox -- sh -c "/bin/busybox mount -t proc proc /proc; ' +
  '/bin/busybox insmod /modules/pvpanic.ko; /bin/busybox insmod /modules/pvpanic-mmio.ko; echo c >/proc/sysrq-trigger"'
/** A guest that writes to its disk until that fails: more than the host's small disk has room for. */
const fillingMebibytes = 160
const fillingCommandLine =
  'console=ttyS0 panic=1 rdinit=/bin/busybox -- sh -c "/bin/busybox mount -t proc proc /proc; mount -t devtmpfs dev /dev; ' +
  'while read m; do insmod /modules/$m; done </modules/first; ' +
  `dd if=/dev/urandom of=/dev/vda bs=1M count=${fillingMebibytes} conv=fsync && echo all is written >/dev/console; sleep 3600"`
const smallDiskMebibytes = 96
const mebibyte = 1024 ** 2
const patience = { timeout: 120_000, interval: 500 }

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
  await offerMuteImage(images, 'filling', fillingCommandLine)
  host = hostOf('machines')
  watching = host.machines.watch((id) => changed.push(id), stop.signal)
})
afterAll(async () => {
  stop.abort()
  await watching
  await removeRun(folder, [owner])
})

const hostOf = (machines: string) =>
  new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, machines),
    ...layersAt(join(folder, `${machines}-layers`)),
    owner,
    ...guestNetwork,
    agentKey: generateSecureShellKeyPair('agent').publicKey,
    capacity: {},
    clock: systemClock,
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
    source: null,
  }
}

async function running(image: string, on = host): Promise<string> {
  const given = specification(image)
  await on.machines.create(given, authority)
  await on.machines.start(given.environmentId, authority)
  return given.environmentId
}

/** Runs the action and waits until the watch has reported the machine. */
async function told(id: string, happen: () => Promise<unknown>): Promise<void> {
  changed.length = 0
  await happen()
  await expect.poll(() => changed, { timeout: toldMilliseconds }).toContain(id)
}

const stateOf = async (id: string) => {
  const { power, endReason, pauseReason } = await host.machines.look(id)
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
    await host.machines.powerOff(id, authority)
    await expectClosed()
    await host.machines.remove(id, authority)
  })
})

describe('a change of power is reported within seconds, with its cause:', () => {
  it('QEMU is killed', async () => {
    const id = await running('mute')
    const pid = Number(await readFile(`/run/libvirt/qemu/hearth-${id}.pid`, 'utf8'))
    await told(id, async () => process.kill(pid, 'SIGKILL'))
    await expect.poll(() => stateOf(id)).toEqual(['crashed', 'hypervisor_gone', null])
    await host.machines.remove(id, authority)
  })

  it('somebody suspends and resumes it', async () => {
    const id = await running('mute')
    await told(id, () => virsh('suspend', `hearth-${id}`))
    expect(await stateOf(id)).toEqual(['paused', null, 'suspended'])
    expect(await host.machines.paused()).toContainEqual({ environmentId: id, reason: 'suspended' })
    await told(id, () => host.machines.resume(id, authority))
    expect(await stateOf(id)).toEqual(['running', null, null])
    const limits = await virsh('blkdeviotune', `hearth-${id}`, 'vda')
    expect(limits).toMatch(/total_bytes_sec: 40000000\n(.*\n)*total_iops_sec *: 500/)
    await host.machines.remove(id, authority)
  })

  it('its kernel panics, and it starts again when ordered', async () => {
    const id = await running('panicking')
    await expect.poll(() => stateOf(id), { timeout: 60_000 }).toEqual(['crashed', 'kernel_panicked', null])
    expect(changed).toContain(id)
    await host.machines.start(id, authority)
    expect((await host.machines.look(id)).power).toBe('running')
    await host.machines.remove(id, authority)
  })
})

describe('a host whose disk is full', () => {
  const machines = 'small'
  let small: LibvirtHost
  beforeAll(async () => {
    await mkdir(join(folder, machines), { mode: 0o711 })
    await run([
      'mount',
      '-t',
      'tmpfs',
      '-o',
      `size=${smallDiskMebibytes}m,mode=711`,
      'tmpfs',
      join(folder, machines),
    ])
    small = hostOf(machines)
  })
  afterAll(() => run(['umount', join(folder, machines)]))

  it('has its guests paused with that cause, and resumed where they were when there is space', async () => {
    const id = await running('filling', small)
    await expect
      .poll(() => small.machines.paused(), patience)
      .toEqual([{ environmentId: id, reason: 'io_error' }])
    expect((await small.machines.look(id)).pauseReason).toBe('io_error')
    expect(await small.freeDiskBytes()).toBeLessThan(mebibyte)
    // Still no space: the machine pauses again at once, and has lost nothing.
    await small.machines.resume(id, authority).catch(() => undefined)
    await expect
      .poll(() => small.machines.paused(), patience)
      .toEqual([{ environmentId: id, reason: 'io_error' }])
    expect(await small.machines.readConsole(id)).not.toContain('all is written')

    await run(['mount', '-o', `remount,size=${4 * smallDiskMebibytes}m`, join(folder, machines)])
    await small.machines.resume(id, authority)
    await expect.poll(() => small.machines.readConsole(id), patience).toContain('all is written')
    expect((await small.machines.look(id)).power).toBe('running')
    await small.machines.remove(id, authority)
  })
})
