import type { Evidence, LifeStatus } from '@hearth/contract'
import { spokenTime } from '@hearth/foundation'
import { spokenOver, spokenSpan, spokenThen } from '../life/words.ts'
import type { EnvironmentSight } from './sight.ts'

/** What is known of the end of a machine. */
export function lifeEvidence({ environment }: Pick<EnvironmentSight, 'environment'>): Evidence[] {
  const { life, phase, unreachable } = environment.status
  if (life === null || environment.spec.desiredPhase === 'deleted' || phase === 'deleted') return []
  const { warning } = life
  return [
    ...lifetimeEvidence(life),
    ...idleEvidence(life, phase === 'running', unreachable),
    ...(warning === null
      ? []
      : [
          {
            what: `it was announced that it is ${spokenThen(warning.follows)} at ${spokenTime(warning.endsAt)}`,
            at: warning.at,
          },
        ]),
  ]
}

function lifetimeEvidence({ endsAt, lifetimeThen }: LifeStatus): Evidence[] {
  return endsAt === null
    ? []
    : [{ what: `the end of its lifetime, when it is ${spokenThen(lifetimeThen)}`, at: endsAt }]
}

function idleEvidence(life: LifeStatus, runs: boolean, unreachable: boolean): Evidence[] {
  const { idleSeconds, idleThen, idleEndsAt, activeAt, watchedAt } = life
  if (idleSeconds === null) return []
  const ends = `it is ${spokenThen(idleThen)} when nobody has used it for ${spokenSpan(idleSeconds)}`
  if (unreachable) return [{ what: `${ends}; its runner is silent, so that nobody knows`, at: null }]
  if (!runs) return [{ what: `${ends} while it runs`, at: null }]
  const unknown = watchedAt === null ? ', but its runner has not said yet whether anybody does' : ''
  return [
    { what: 'it was last known to be used', at: activeAt },
    { what: `${ends}${unknown}`, at: idleEndsAt },
  ]
}

/** Why a machine rests, where its life says so: the end of a sentence. */
export function restBecause({ environment }: EnvironmentSight, otherwise: string): string {
  const over = environment.status.life?.over ?? null
  return over === null || over.follows === 'delete' ? otherwise : `because ${spokenOver(over)}`
}

/** What has to be done before a machine that rests may run. */
export function restNext({ environment }: EnvironmentSight, otherwise: string): string {
  const { life } = environment.status
  return life?.over?.cause === 'lifetime'
    ? `it runs again once its end is put off: \`hearth extend ${environment.metadata.name}\`, then \`hearth resume ${environment.metadata.name}\``
    : otherwise
}
