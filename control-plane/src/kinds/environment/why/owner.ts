import type { Evidence } from '@hearth/contract'
import type { OwnerKind } from '../owner.ts'
import type { EnvironmentSight } from './sight.ts'

/** What explanations say of an environment for its owner, while no claim has it. */
interface OwnerWords {
  /** How it runs, after its runner. */
  runs: string
  holds: Evidence[]
  /** What its owner does when its host is lost; null when it does nothing. */
  whenLost: string | null
  /** What its owner does when it has failed; null when it does nothing. */
  whenFailed: string | null
}

const nothing: OwnerWords = { runs: '', holds: [], whenLost: null, whenFailed: null }

type Owned = Pick<EnvironmentSight, 'environment'> & { pool: string }

const words: Readonly<Record<OwnerKind, (owned: Owned) => OwnerWords>> = {
  'warm-pool': ({ pool }) => ({
    runs: `ready in pool ${pool}`,
    holds: [{ what: `it is an unclaimed member of pool ${pool}`, at: null }],
    whenLost: `pool ${pool} replaces it on another runner`,
    whenFailed: `pool ${pool} makes another by itself, unless too many fail`,
  }),
  'warm-pool-test': () => nothing,
  prebuild: ({ pool: prebuild }) => ({
    runs: `to build prebuild ${prebuild}`,
    holds: [{ what: `prebuild ${prebuild} is built on it`, at: null }],
    whenLost: `prebuild ${prebuild} fails, unless the runner comes back in time`,
    whenFailed: `prebuild ${prebuild} fails with it, and has it removed`,
  }),
  pipeline: ({ pool: pipeline }) => ({
    runs: `for pipeline ${pipeline}`,
    holds: [{ what: `pipeline ${pipeline} is compiled or runs in it`, at: null }],
    whenLost: `pipeline ${pipeline} stops with that as its error`,
    whenFailed: `pipeline ${pipeline} stops with that as its error, and has it removed`,
  }),
  'warm-pool-inspection': ({ pool, environment }) => ({
    ...nothing,
    runs: `for an administrator, who took it out of pool ${pool} to look into it`,
    holds: [
      {
        what: `an administrator took it out of pool ${pool} to look into it: no claim gets it; it is removed`,
        at: environment.status.removeAt,
      },
    ],
  }),
}

export function ownerWords({
  owner,
  environment,
}: Pick<EnvironmentSight, 'owner' | 'environment'>): OwnerWords {
  return owner === null ? nothing : words[owner.kind]({ environment, pool: owner.name })
}

/** What an owner is called that is gone, where the sentence needs it. */
export const nameOfGone: Readonly<Record<OwnerKind, string | null>> = {
  'warm-pool': null,
  'warm-pool-test': null,
  'warm-pool-inspection': 'that is gone',
  prebuild: 'that is gone',
  pipeline: 'that is gone',
}
