import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { removeDomainsOf, virsh } from '../hardware/domains.ts'
import { newRunFolder } from '../hardware/host.ts'
import { removeRun } from '../hardware/leftovers.ts'
import { FrozenGuest, guestAuthority } from './frozen-guest.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 5

/**
 * A suspended machine to its first command by the agent's host, the gate included, against `virsh restore` and `ssh`
 * with the gate after them; the two alternate.
 */
export async function benchSuspended(): Promise<Row[]> {
  const owner = newId()
  const folder = await newRunFolder()
  try {
    const guest = await FrozenGuest.boot(folder, owner)
    const samples = { hearth: [] as number[], bare: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      samples.bare.push(await restoreBare(guest))
      samples.hearth.push(await resume(guest))
    }
    return [
      {
        measure: 'suspended to first command',
        hearth: median(samples.hearth),
        floor: median(samples.bare),
        unit: 'ms',
        most: 1.25,
      },
    ]
  } finally {
    await removeDomainsOf([owner])
    await removeRun(folder, [owner])
  }
}

async function resume(guest: FrozenGuest): Promise<number> {
  const { environmentId, host } = guest
  await host.machines.suspend(environmentId, guestAuthority)
  const began = performance.now()
  await host.machines.resumeSuspended(environmentId, guestAuthority)
  await guest.prove(environmentId)
  await guest.enter(environmentId)
  return performance.now() - began
}

async function restoreBare(guest: FrozenGuest): Promise<number> {
  const { environmentId } = guest
  const memory = join(guest.folder, 'bare.memory')
  await virsh('save', `hearth-${environmentId}`, memory)
  const began = performance.now()
  await virsh('restore', memory)
  await guest.enter(environmentId)
  await guest.prove(environmentId)
  return performance.now() - began
}
