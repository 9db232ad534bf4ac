import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { run } from '../hardware/command.ts'
import { removeDomainsOf, virsh } from '../hardware/domains.ts'
import { newRunFolder } from '../hardware/host.ts'
import { removeRun } from '../hardware/leftovers.ts'
import { BareGuest } from './bare-guest.ts'
import { BareStart } from './bare-start.ts'
import { FrozenGuest } from './frozen-guest.ts'
import { bootOnce } from './image.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 3
const forksAtOnce = 3
const mebibyte = 1024 * 1024

/** Snapshots of a guest, and starts from them, compared with the same by hand; the two alternate. */
export async function benchSnapshot(): Promise<Row[]> {
  const owner = newId()
  const folder = await newRunFolder()
  try {
    const guest = await FrozenGuest.boot(folder, owner)
    const bare = await BareGuest.prepare(folder, 'debian-12', owner)
    const boots: number[] = []
    for (let round = 0; round < rounds; round += 1) boots.push(await bootOnce(bare))
    const freezing = await measureFreezing(guest)
    const layerId = await guest.freeze(true)
    const { facts } = await guest.host.layers.look(layerId)
    const memory = await measureStarts(guest, layerId, true)
    const disk = await measureStarts(guest, layerId, false)
    const forks = await measureForks(guest, layerId)
    const fromMemory = median(memory.hearth)
    return [
      ms('live snapshot, added to virsh', median(freezing.hearth) - median(freezing.bare), null, 100),
      { measure: 'snapshot, bytes written', hearth: freezing.written, floor: null, unit: 'MiB', most: 1 },
      ms('snapshot with memory, guest stood still', facts?.pausedMilliseconds ?? 0, null, 300),
      ms('start from memory to first command', fromMemory, median(memory.bare), 1.25),
      ms('the same against a boot', fromMemory, median(boots), 0.25),
      ms('start from disk to first command', median(disk.hearth), median(disk.bare), 1.1),
      ms(`${forksAtOnce} forks at once`, median(forks), fromMemory, 2),
    ]
  } finally {
    await removeDomainsOf([owner])
    await removeRun(folder, [owner])
  }
}

function ms(measure: string, hearth: number, floor: number | null, most: number): Row {
  return { measure, hearth, floor, unit: 'ms', most }
}

/** Milliseconds of snapshots of the disk, and MiB that the newest wrote although the guest had changed nothing. */
async function measureFreezing(guest: FrozenGuest) {
  const samples = { hearth: [] as number[], bare: [] as number[] }
  let written = 0
  for (let round = 0; round < rounds; round += 1) {
    await guest.enter(
      guest.environmentId,
      undefined,
      'dd if=/dev/urandom of=/root/changed bs=1M count=20; sync',
    )
    samples.bare.push(await freezeBare(guest))
    await guest.enter(
      guest.environmentId,
      undefined,
      'dd if=/dev/urandom of=/root/changed bs=1M count=20; sync',
    )
    const before = await bytesBelow(guest.folder)
    const began = performance.now()
    await guest.freeze(false)
    samples.hearth.push(performance.now() - began)
    written = (await bytesBelow(guest.folder)) - before
  }
  return { ...samples, written: Math.max(0, written) / mebibyte }
}

/** On a machine of its own, since the agent does not know of such a snapshot. */
async function freezeBare(guest: FrozenGuest): Promise<number> {
  const environmentId = newId()
  const layerId = await guest.freeze(false)
  await guest.start(environmentId, layerId, false)
  const next = join(guest.folder, 'machines', environmentId, 'next.qcow2')
  const disks = ['--diskspec', `vda,file=${next}`, '--diskspec', 'vdb,snapshot=no']
  const began = performance.now()
  await virsh(
    'snapshot-create-as',
    `hearth-${environmentId}`,
    ...['--disk-only', '--no-metadata', '--atomic'],
    ...disks,
  )
  const took = performance.now() - began
  await guest.remove(environmentId)
  return took
}

async function bytesBelow(folder: string): Promise<number> {
  return Number.parseInt(await run(['du', '-s', '-B1', folder]), 10)
}

/** Milliseconds to the first command by the agent's host, and by hand with the gate after it. */
async function measureStarts(guest: FrozenGuest, layerId: string, resumed: boolean) {
  const samples = { hearth: [] as number[], bare: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const bare = await BareStart.prepare(guest, layerId)
    if (resumed) {
      const started = await bare.fromMemory()
      samples.bare.push(started + (await guest.takeIdentity(bare.environmentId, layerId, true)))
    } else samples.bare.push(await bare.fromDisk())
    await bare.remove()
    const environmentId = newId()
    samples.hearth.push(await guest.start(environmentId, layerId, resumed))
    await guest.remove(environmentId)
  }
  return samples
}

/** Milliseconds until the last of some forks, all begun at once, has answered. */
async function measureForks(guest: FrozenGuest, layerId: string): Promise<number[]> {
  const samples: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const ids = Array.from({ length: forksAtOnce }, () => newId())
    const took = await Promise.all(ids.map((id) => guest.start(id, layerId, true)))
    samples.push(Math.max(...took))
    await Promise.all(ids.map((id) => guest.remove(id)))
  }
  return samples
}
