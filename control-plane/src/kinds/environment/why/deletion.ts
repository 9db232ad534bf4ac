import type { Deletion, LifeCause, LifeStatus } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { spokenOver } from '../life/words.ts'
import type { EnvironmentSight } from './sight.ts'

/** What the reason for a deletion speaks of. */
interface Deleted {
  project: { name: string } | null
  runner: { name: string } | null
  owner: EnvironmentSight['owner']
  deletedBy: string | null
  life?: LifeStatus | null
}

function lifeWords(life: LifeStatus | null | undefined, cause: LifeCause, otherwise: string): string {
  const over = life?.over ?? null
  return over === null || over.cause !== cause ? otherwise : spokenOver(over)
}

/** Why an environment is deleted, as the end of a sentence. */
export function becauseOf({ reason, principalId }: Deletion, seen: Deleted): string {
  const pool = `pool ${seen.owner?.kind === 'warm-pool' ? seen.owner.name : 'that it was in'}`
  const runner = seen.runner?.name ?? 'its runner'
  const who = seen.deletedBy ?? principalId ?? 'someone'
  switch (reason) {
    case 'requested':
      return `${who} asked for it`
    case 'claim_released':
      return `${who} released its claim`
    case 'project_deleted':
      return `its project ${seen.project?.name ?? ''} was deleted`.replace('  ', ' ')
    case 'pool_deleted':
      return `${pool} was deleted`
    case 'pool_disabled':
      return `${pool} was disabled`
    case 'pool_cleared':
      return `${who} cleared ${pool}`
    case 'test_over':
      return 'it tested the steps of a pool, and has been kept for as long as was asked'
    case 'inspection_over':
      return 'an administrator had taken it out of its pool to look into it, and asked for no certificate any more'
    case 'lifetime_over':
      return lifeWords(seen.life, 'lifetime', 'its lifetime is over')
    case 'idle_over':
      return lifeWords(seen.life, 'idle', 'nobody had used it for as long as was asked')
    case 'prebuild_over':
      return `${seen.owner?.kind === 'prebuild' ? `prebuild ${seen.owner.name}` : 'its prebuild'} needs it no more`
    case 'pipeline_over':
      return `${seen.owner?.kind === 'pipeline' ? `pipeline ${seen.owner.name}` : 'its pipeline'} needs it no more`
    case 'pool_surplus':
      return `${pool} had more environments than it wants`
    case 'older_configuration':
      return `it was made before the last change of its project, class or pool, and ${pool} replaced it`
    case 'too_old':
      return `${pool} keeps no environment that long`
    case 'failed':
      return `it had failed, and ${pool} keeps only the newest failed environment, for half an hour`
    case 'not_running':
      return `it was stopped, and ${pool} keeps running environments only`
    case 'runner_lost':
      return `its runner ${runner} went silent and another environment replaces it`
    case 'runner_drained':
      return `its runner ${runner} was drained`
    case 'runner_removed':
      return `its runner ${runner} was removed`
    default:
      return assertNever(reason)
  }
}
