import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { run } from '../hardware/command.ts'
import { virsh } from '../hardware/domains.ts'
import type { FrozenGuest } from './frozen-guest.ts'

/** A machine that the agent's host has made, started by hand with `qemu-img`, `virsh` and `ssh` only. */
export class BareStart {
  private constructor(
    private readonly guest: FrozenGuest,
    private readonly layerId: string,
    readonly environmentId: string,
  ) {}

  /** Has the machine made over the layer, which is not measured. */
  static async prepare(guest: FrozenGuest, layerId: string): Promise<BareStart> {
    const environmentId = newId()
    await guest.create(environmentId, { layerId })
    return new BareStart(guest, layerId, environmentId)
  }

  /** Milliseconds from an empty disk over the layer to the first command. */
  async fromDisk(): Promise<number> {
    const disk = join(this.folder, 'disk.qcow2')
    await rm(disk)
    const began = performance.now()
    const base = join(this.guest.folder, 'layers', this.layerId, 'disk.qcow2')
    await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', disk])
    await virsh('create', join(this.folder, 'domain.xml'))
    await this.guest.enter(this.environmentId)
    return performance.now() - began
  }

  /** Milliseconds until the first command of the guest that still is its origin. */
  async fromMemory(): Promise<number> {
    const sockets = join(this.guest.folder, `sockets-${this.environmentId}`)
    await mkdir(sockets)
    await chmod(sockets, 0o777)
    const socket = join(sockets, 's')
    const text = await readFile(join(this.folder, 'domain.xml'), 'utf8')
    const waits = `<qemu:arg value='-incoming'/><qemu:arg value='unix:${socket}'/></qemu:commandline>`
    const waiting = join(this.guest.folder, `${this.environmentId}.xml`)
    await writeFile(waiting, text.replace('</qemu:commandline>', waits))
    const memory = join(this.guest.folder, 'layers', this.layerId, 'memory')
    const offset = await streamOffset(memory)
    const { origin } = await this.guest.host.layers.look(this.layerId)
    const began = performance.now()
    await virsh('create', waiting)
    await pipeline(createReadStream(memory, { start: offset, highWaterMark: 1024 * 1024 }), connect(socket))
    const ask = (command: string) =>
      virsh('qemu-monitor-command', `hearth-${this.environmentId}`, `{"execute":"${command}"}`)
    // Kept while the guest stood still, it stands still where it is loaded.
    await eventually(async () => /"status":"(paused|running)"/.test(await ask('query-status')), {
      timeoutMilliseconds: 60_000,
      intervalMilliseconds: 10,
    })
    await ask('cont')
    await this.guest.enter(this.environmentId, origin?.hostKey)
    return performance.now() - began
  }

  async remove(): Promise<void> {
    await virsh('destroy', `hearth-${this.environmentId}`)
    await this.guest.remove(this.environmentId)
  }

  private get folder(): string {
    return join(this.guest.folder, 'machines', this.environmentId)
  }
}

/** libvirt's head of 92 bytes says how long the definition is that follows it. */
async function streamOffset(memory: string): Promise<number> {
  const file = await open(memory)
  try {
    const head = Buffer.alloc(92)
    await file.read(head, 0, head.length, 0)
    return head.length + head.readUInt32LE(20)
  } finally {
    await file.close()
  }
}
