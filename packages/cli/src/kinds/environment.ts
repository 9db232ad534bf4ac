import { type Environment, environmentPhaseSchema, kinds, stepKey } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { withLastLines } from '../output/environment-failure.ts'
import { lifeFields } from '../output/life-text.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { stepTable } from '../output/step-table.ts'
import { renderTable } from '../output/table.ts'
import { findPool } from './find-pool.ts'
import { goneIsNull } from './gone-is-null.ts'
import { defineKind, type Filter, type Names, type View } from './kind.ts'
import { joined, named, namesOf, referenceNames } from './names.ts'

export const environmentKind = defineKind(kinds.Environment, {
  columns: ['NAME', 'PROJECT', 'PHASE', 'STEP', 'CLAIM', 'RUNNER', 'ADDRESS', 'AGE', 'ID'],
  namesNeeded: (view, items) => joined(referenceNames(view), ownerNames(view, items)),
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    named(names, spec.projectId),
    terminal.tone(phaseTone(status.phase), status.phase) + (status.unreachable ? ' (unreachable)' : ''),
    presentStep(status.steps),
    named(names, status.claimId),
    named(names, status.runnerId),
    status.address === null ? '-' : `${status.address.host}:${status.address.port}`,
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  async fetchAll({ client, signal }, filter) {
    return await client.environments.listAll(await environmentFilter({ client, signal }, filter), { signal })
  },
  fetchOne: ({ client, signal }, reference) => client.environments.get(reference, { signal }),
  describe: describeEnvironment,
  async remove({ client, signal }, reference, { force }) {
    const before = await client.environments.get(reference, { signal })
    const { metadata } = before
    await client.environments.delete(metadata.id, { force, signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) => {
        const seen = await client.environments.get(metadata.id, { signal: waiting }).catch(goneIsNull)
        // An environment that had failed before stays failed until its runner begins the deletion.
        if (seen?.status.phase === 'failed' && !isSameFailure(seen, before)) {
          throw new HearthError('conflict', seen.status.failure?.message ?? 'the deletion failed')
        }
        return seen === null || seen.status.phase === 'deleted'
      },
    }
  },
})

/** Names of the claims and pools that these environments belong to. */
async function ownerNames({ client, signal }: View, items: Promise<readonly Environment[]>): Promise<Names> {
  const all = await items
  const poolIds = all.map(({ spec }) => spec.warmPoolId ?? spec.test?.warmPoolId)
  const claimIds = all.map(({ status }) => status.claimId)
  return await joined(namesOf(client.warmPools, poolIds, signal), namesOf(client.claims, claimIds, signal))
}

const nameOrNull = (names: Names, id: string | null) => (id === null ? null : named(names, id))

function isSameFailure({ status }: Environment, before: Environment): boolean {
  return JSON.stringify(status.failure) === JSON.stringify(before.status.failure)
}

async function environmentFilter(view: Pick<View, 'client' | 'signal'>, filter: Filter) {
  const { client, signal } = view
  const idOf = async (reference: string | undefined, kind: 'projects' | 'runners') =>
    reference === undefined || isId(reference)
      ? reference
      : (await client[kind].get(reference, { signal })).metadata.id
  return {
    projectId: await idOf(filter.project, 'projects'),
    runnerId: await idOf(filter.runner, 'runners'),
    warmPoolId: filter.pool === undefined ? undefined : (await findPool(view, filter.pool)).metadata.id,
    phase: filter.phase === undefined ? undefined : knownPhase(filter.phase),
  }
}

function knownPhase(phase: string) {
  const parsed = environmentPhaseSchema.safeParse(phase)
  if (parsed.success) return parsed.data
  throw new HearthError('invalid', 'no environment is ever in that phase', {
    details: [
      { field: '--phase', given: phase, expected: `one of ${environmentPhaseSchema.options.join(', ')}` },
    ],
  })
}

/** The running step, else the failed one, else nothing. */
export function presentStep(steps: Environment['status']['steps']): string {
  const step = steps.find(({ phase }) => phase === 'running') ?? steps.find(({ phase }) => phase === 'failed')
  return step === undefined ? '-' : stepKey(step)
}

export function describeEnvironment(
  environment: Environment,
  { terminal, now }: Pick<View, 'terminal' | 'now'>,
  names: Names,
): string {
  const { spec, status } = environment
  const { plan } = spec
  const address = status.address
  const head = fields([
    ...headFields(environment, now),
    ['Project', named(names, spec.projectId)],
    [
      'Class',
      `${named(names, spec.environmentClassId)}${plan === undefined ? '' : ` (${plan.virtualCpus} vCPU, ${plan.memoryMebibytes} MiB, ${plan.diskGibibytes} GiB, ${plan.image})`}`,
    ],
    ['Pool', nameOrNull(names, spec.warmPoolId)],
    ['Tests pool', nameOrNull(names, spec.test?.warmPoolId ?? null)],
    ['Removed at', status.removeAt],
    ['Claim', nameOrNull(names, status.claimId)],
    ['Wanted', spec.desiredPhase],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Unreachable', status.unreachable ? 'its runner is silent; the phase is the last one seen' : null],
    ['Deadline', status.deadline],
    ['Runner', named(names, status.runnerId)],
    ['Placement', status.placement],
    ['Address', address === null ? '-' : `${address.user}@${address.host}:${address.port}`],
    ['Host key', address?.hostKey ?? null],
    ['Machine id', status.identity?.machineId ?? null],
    ['Clock offset', status.identity === null ? null : `${status.identity.clockOffsetMilliseconds} ms`],
    ['Ready', status.readyAt],
    ...lifeFields(status.life, now),
  ])
  const parts = [head]
  if (status.steps.length > 0) parts.push('', renderTable(stepTable(status.steps, terminal, now)))
  if (status.failure !== null)
    parts.push('', failureText(terminal, withLastLines(status.failure, environment)))
  return parts.join('\n')
}
