import { kinds, type WarmPool } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { lifeSaid } from '../output/life-text.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { poolCosts } from '../output/pool-costs.ts'
import { renderTable } from '../output/table.ts'
import { environmentKind } from './environment.ts'
import { findPool } from './find-pool.ts'
import { goneIsNull } from './gone-is-null.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { named, referenceNames } from './names.ts'
import { projectIdOf } from './project-id.ts'

export const warmPoolKind = defineKind(kinds.WarmPool, {
  columns: [
    'NAME',
    'PROJECT',
    'CLASS',
    'PHASE',
    'READY',
    'WANTED',
    'PROVISIONING',
    'CLAIMED',
    'FAILED',
    'AGE',
    'ID',
  ],
  namesNeeded: referenceNames,
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    named(names, spec.projectId),
    named(names, spec.environmentClassId),
    terminal.tone(phaseTone(status.phase), status.phase),
    String(status.ready),
    wantedText(spec, status),
    String(status.provisioning),
    String(status.claimed),
    String(status.failed),
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  async fetchAll({ client, signal }, { project }) {
    const projectId = await projectIdOf({ client, signal }, project)
    return await client.warmPools.listAll({ projectId }, { signal })
  },
  fetchOne: findPool,
  describe: describePool,
  async remove(view, reference) {
    const { client, signal } = view
    const { metadata } = await findPool(view, reference)
    await client.warmPools.delete(metadata.id, { signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) =>
        (await client.warmPools.get(metadata.id, { signal: waiting }).catch(goneIsNull)) === null,
    }
  },
})

function wantedText({ min, max }: WarmPool['spec'], { desiredSize }: WarmPool['status']): string {
  return max === null ? String(desiredSize) : `${desiredSize} (${min}-${max})`
}

function restingText({ suspended, stopped, resumable }: WarmPool['status']): string | null {
  const parts = [
    [suspended, 'suspended'],
    [stopped, 'stopped'],
    [resumable, 'resumable'],
  ].flatMap(([count, how]) => (count === 0 ? [] : `${count} ${how}`))
  return parts.length === 0 ? null : parts.join(', ')
}

/** The full text about a pool, for commands that have just changed it. */
export async function warmPoolText(pool: WarmPool, view: View): Promise<string> {
  return await describePool(pool, view, await referenceNames(view))
}

async function describePool(pool: WarmPool, view: View, names: Names): Promise<string> {
  const { spec, status } = pool
  const head = fields([
    ...headFields(pool, view.now),
    ['Project', named(names, spec.projectId)],
    ['Class', named(names, spec.environmentClassId)],
    ['Phase', view.terminal.tone(phaseTone(status.phase), status.phase)],
    ['Enabled', spec.enabled ? 'yes' : 'no'],
    ['Ready', `${status.ready} of ${status.desiredSize}`],
    ['Sizes', spec.max === null ? null : `${spec.min} to ${spec.max}, now ${status.desiredSize}`],
    ['Because', status.scaling?.reason ?? null],
    ['Running', spec.running === null ? null : `${spec.running}, the others ${spec.rest}`],
    ['At rest', restingText(status)],
    ['Branch', spec.branch],
    ['Replaced when ready for', spec.maxAgeMinutes === null ? null : `${spec.maxAgeMinutes} minutes`],
    ['Life of what is claimed', lifeSaid(spec.life)],
    ['Provisioning', String(status.provisioning)],
    ['Claimed', String(status.claimed)],
    ['Failed', String(status.failed)],
    ['Boots that failed in a row', String(status.consecutiveFailures)],
    ['Tries again', status.retryAt],
    ['Set-up', spec.setup.length === 0 ? null : spec.setup.map(({ name }) => name).join('; ')],
  ])
  const members = await environmentKind.list(view, { pool: pool.metadata.id })
  const environmentClass = await view.client.environmentClasses
    .get(spec.environmentClassId, { signal: view.signal })
    .catch(goneIsNull)
  const costs = environmentClass === null ? [] : [poolCosts(pool, environmentClass), '']
  const failure = status.failure === null ? [] : ['', failureText(view.terminal, status.failure)]
  return [head, '', ...costs, renderTable(members.table()), ...failure].join('\n')
}
