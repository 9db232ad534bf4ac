import type { VolumePhase } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Insertable } from 'kysely'
import { named, type Party } from './party.fixture.ts'
import { emptyVolumeStatus, type VolumeTable } from './volume/table.ts'

/** A volume in the given phase, of no machine and on no host unless that is changed. */
export async function makeVolume(
  party: Party,
  phase: VolumePhase,
  change: Partial<Insertable<VolumeTable>> = {},
): Promise<string> {
  const id = newId()
  const spec = {
    mountPath: '/data',
    runnerSelector: {},
    wantedRunnerId: null,
    contentNumber: 0,
    force: false,
  }
  await party.database
    .insertInto('volumes')
    .values({
      ...named(id, party.organizationId, 'volume'),
      spec: JSON.stringify(spec),
      status: JSON.stringify(emptyVolumeStatus),
      size_mebibytes: 1_024,
      is_snapshot: false,
      environment_id: null,
      runner_id: null,
      source_id: null,
      phase,
      deadline: null,
      desired: 'present',
      ...change,
    })
    .execute()
  return id
}
