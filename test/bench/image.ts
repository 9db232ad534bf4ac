import { newId } from '@hearth/foundation'
import { newRunFolder } from '../hardware/host.ts'
import { removeRun } from '../hardware/leftovers.ts'
import { BareGuest } from './bare-guest.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 3

/** The base image to the first answered command against an untuned Debian guest with the same definition. */
export async function benchImage(): Promise<Row[]> {
  const owner = newId()
  const folder = await newRunFolder()
  try {
    const tuned = await BareGuest.prepare(folder, 'debian-12', owner)
    const untuned = await BareGuest.prepare(folder, 'debian-12-untuned', owner)
    const samples = { tuned: [] as number[], untuned: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      samples.tuned.push(await bootOnce(tuned))
      samples.untuned.push(await bootOnce(untuned))
    }
    return [
      {
        measure: 'base image to first command',
        hearth: median(samples.tuned) / 1000,
        floor: median(samples.untuned) / 1000,
        unit: 's',
        most: 0.75,
      },
    ]
  } finally {
    await removeRun(folder, [owner])
  }
}

export async function bootOnce(guest: BareGuest): Promise<number> {
  const milliseconds = await guest.boot()
  await guest.end()
  return milliseconds
}
