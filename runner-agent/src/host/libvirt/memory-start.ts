import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import { waitingForMemory } from './definition.ts'
import { type Domains, domainName } from './domains.ts'
import type { Emulation } from './layers/emulation.ts'
import type { LayerFileContent } from './layers/layer-file.ts'
import type { LayerPlace } from './layers/layer-place.ts'
import { memoryHeadBytes, parseMemoryHead, streamMagic } from './layers/memory-image.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { MachineDisk } from './machine-disk.ts'
import type { MachineSight } from './machine-sight.ts'
import { memorySocketFolder } from './memory-socket.ts'
import type { Given, GivenSource, MachineFile } from './metadata.ts'

export interface MemoryStartOptions {
  runner: CommandRunner
  domains: Domains
  sight: MachineSight
  lifecycle: Lifecycle
  disks: MachineDisk
  place: LayerPlace
  emulation: Emulation
  socketsFolder: string
  emulatorUser: () => Promise<number | null>
}

/** A slow disk gives at least so much. */
const leastBytesPerMillisecond = 10_000

/** First starts of machines that go on from the memory of a layer. */
export class MemoryStart {
  constructor(private readonly options: MemoryStartOptions) {}

  async start(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    const { sight, lifecycle, place } = this.options
    const machine = await sight.lookToTouch(environmentId, authority)
    const file = await sight.folder(environmentId).readMachine()
    const source = file?.given?.source
    if (file === null || source === undefined || source.layerId !== layerId || source.state === 'ran') {
      throw new HostError(
        'host_refused',
        `the machine ${environmentId} is no new one over the layer ${layerId}: it may have written to its disk`,
      )
    }
    if (source.state === 'resuming') {
      await lifecycle.powerOff(environmentId, authority)
      await this.renew(environmentId, source, authority)
    } else if (machine.power !== 'shut_off') {
      throw new HostError('host_refused', `the machine ${environmentId} is not off`)
    }
    const content = await place.integrity.check(layerId)
    const streamOffset = await this.fit(environmentId, content, source)
    await authority.assertHeld()
    await this.note(environmentId, source, 'resuming')
    const fault = await this.resume(environmentId, layerId, file, streamOffset, authority)
    if (fault === null) return this.note(environmentId, source, 'ran')
    await lifecycle.powerOff(environmentId, authority)
    await this.renew(environmentId, source, authority)
    throw new HostError('memory_unusable', fault)
  }

  /** Resolves with the offset of QEMU's stream. Throws HostError `memory_unusable` with the reason. */
  private async fit(environmentId: string, content: LayerFileContent, source: GivenSource): Promise<number> {
    const { place, disks, emulation } = this.options
    const { machine, facts } = content
    if (facts.memory === null) throw unusable(facts.memoryFault ?? 'the layer has no memory')
    const [{ lasting }, head] = await Promise.all([
      disks.definitions(environmentId),
      // A memory that is not there is none that libvirt wrote.
      place.runner
        .readPart(place.folder(source.layerId).memory, 0, memoryHeadBytes)
        .catch(() => Buffer.alloc(0)),
    ])
    const here = await emulation.describe(lasting.hardware)
    const sizes = (cpus: number, mebibytes: number, bytes: number) =>
      `${cpus} virtual CPUs, ${mebibytes} MiB of memory and a disk of ${bytes} bytes`
    const kept = sizes(machine.virtualCpus, machine.memoryMebibytes, machine.virtualBytes)
    const wanted = sizes(lasting.virtualCpus, lasting.memoryMebibytes, source.virtualBytes)
    if (kept !== wanted) throw unusable(`the memory is of a machine with ${kept}; this one has ${wanted}`)
    if (machine.emulation !== here) {
      throw unusable(
        `the memory was kept by ${machine.emulation ?? 'nobody knows what'}; this host has ${here}`,
      )
    }
    const parsed = parseMemoryHead(head)
    if ('fault' in parsed) throw unusable(parsed.fault)
    const magic = await place.runner.readPart(
      place.folder(source.layerId).memory,
      parsed.streamOffset,
      streamMagic.length,
    )
    if (magic.toString('latin1') !== streamMagic) {
      throw unusable('the memory image has no stream of QEMU where one should be')
    }
    await place.integrity.checkMemory(source.layerId).catch((thrown: unknown) => {
      throw thrown instanceof HostError ? unusable(thrown.message) : thrown
    })
    return parsed.streamOffset
  }

  /** Resolves with the reason when the machine does not go on from the memory. */
  private async resume(
    environmentId: string,
    layerId: string,
    file: MachineFile,
    streamOffset: number,
    authority: Authority,
  ): Promise<string | null> {
    const { runner, lifecycle, place } = this.options
    const folder = memorySocketFolder(this.options.socketsFolder, environmentId)
    const memory = place.folder(layerId).memory
    try {
      return await place.integrity.whileStarting(layerId, async () => {
        const error = await lifecycle.launch(environmentId, authority, (given) =>
          this.createWaiting(environmentId, { ...file, given }, folder),
        )
        if (error !== null) return error
        await authority.assertHeld()
        const size = (await place.folder(layerId).read())?.facts.memory?.bytes ?? 0
        await runner.pour(memory, streamOffset, socketIn(folder), 60_000 + size / leastBytesPerMillisecond)
        return await this.letGoOn(environmentId)
      })
    } catch (thrown) {
      if (thrown instanceof HostError) return thrown.message
      throw thrown
    } finally {
      await runner.remove(folder)
    }
  }

  /** The definition that libvirt keeps stays without the wait for a memory. */
  private async createWaiting(
    environmentId: string,
    file: MachineFile,
    socketFolder: string,
  ): Promise<string | null> {
    await this.makeSocketFolder(socketFolder)
    const { runner, sight, domains } = this.options
    const { definition, path } = sight.folder(environmentId)
    const text = (await runner.readFile(definition))?.toString('utf8') ?? ''
    const waiting = posix.join(path, 'waiting.xml')
    const given = { ownership: file.ownership, generationId: randomUUID(), socket: socketIn(socketFolder) }
    await runner.writeFile(waiting, waitingForMemory(text, given), 0o600)
    const error = await domains.create(waiting)
    await runner.remove(waiting)
    return error
  }

  /** Lets the machine go on once QEMU has closed the stream. Resolves with the reason why it does not. */
  private async letGoOn(environmentId: string): Promise<string | null> {
    const { domains, runner } = this.options
    const status = await domains.goOnFromMemory(environmentId)
    if (status === 'running') return null
    const log = await runner.run([
      'tail',
      '-n',
      '3',
      '--',
      `/var/log/libvirt/qemu/${domainName(environmentId)}.log`,
    ])
    const said = log.stdout.trim().split('\n').join('; ').slice(-500)
    return `QEMU did not load the memory: ${status === null ? said : `it is ${status}`}`
  }

  private async makeSocketFolder(folder: string): Promise<void> {
    const { runner, emulatorUser } = this.options
    const user = await emulatorUser()
    const script =
      'rm -rf -- "$1" && mkdir -p -m 0711 -- "$3" && mkdir -m 0700 -- "$1" && ' +
      'if [ -n "$2" ]; then chown "$2" -- "$1"; fi'
    const result = await runner.run([
      'sh',
      '-c',
      script,
      'sh',
      folder,
      String(user ?? ''),
      this.options.socketsFolder,
    ])
    if (result.exitCode === 0) return
    throw new HostError('host_refused', `no socket for the memory: ${result.stderr.trim()}`)
  }

  /** Gives the machine an empty disk over the layer again. */
  private async renew(environmentId: string, source: GivenSource, authority: Authority): Promise<void> {
    const { disks, place } = this.options
    await authority.assertHeld()
    const { lasting } = await disks.definitions(environmentId)
    const base = { path: place.folder(source.layerId).disk, isInUse: false }
    await disks.replace(environmentId, lasting.diskPath, base, source.virtualBytes)
    await this.note(environmentId, source, 'fresh')
  }

  private async note(environmentId: string, source: GivenSource, state: GivenSource['state']): Promise<void> {
    const folder = this.options.sight.folder(environmentId)
    const file = await folder.readMachine()
    if (file?.given == null) throw new HostError('host_refused', 'the machine has no folder')
    const given: Given = { ...file.given, source: { ...source, state } }
    await folder.writeMachine({ ...file, given })
  }
}

function socketIn(folder: string): string {
  return posix.join(folder, 's')
}

function unusable(why: string): HostError {
  return new HostError('memory_unusable', why)
}
