import { newId } from '@hearth/foundation'
import { removeDomainsOf } from '../hardware/domains.ts'
import { untilDeleted, untilProvisioned } from '../hardware/waiting.ts'
import { BareGuest } from './bare-guest.ts'
import { type GuestService, startGuestService } from './guest-service.ts'
import { bootOnce } from './image.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 3

/**
 * Cold start of an environment without set-up, from the API call on, compared with its bare machine; the two
 * alternate.
 */
export async function benchCold(): Promise<Row[]> {
  const owner = newId()
  await using guests = await startGuestService(1)
  const { projectId } = await guests.service.client.apply({ apiVersion: 'hearth/v1', name: 'cold' })
  try {
    const bare = await BareGuest.prepare(guests.folder, 'debian-12', owner)
    const samples = { hearth: [] as number[], bare: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      samples.bare.push(await bootOnce(bare))
      samples.hearth.push(await createOnce(guests, projectId))
    }
    return [
      {
        measure: 'cold create to ready',
        hearth: median(samples.hearth) / 1000,
        floor: median(samples.bare) / 1000,
        unit: 's',
        most: 1.15,
      },
    ]
  } finally {
    await removeDomainsOf([owner])
  }
}

/** Milliseconds until a new environment is seen to be running; it is deleted afterwards. */
async function createOnce({ service, environmentClassId }: GuestService, projectId: string): Promise<number> {
  const { client } = service
  const began = performance.now()
  const { metadata } = await client.environments.create({ spec: { projectId, environmentClassId } })
  const { status } = await untilProvisioned(client, metadata.id)
  const took = performance.now() - began
  if (status.phase !== 'running') throw new Error(`the environment failed: ${status.failure?.message}`)
  await client.environments.delete(metadata.id)
  await untilDeleted(client, metadata.id)
  return took
}
