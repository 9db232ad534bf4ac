import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { nextEnd } from '../output/life-text.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { goneIsNull } from './gone-is-null.ts'
import { defineKind } from './kind.ts'
import { joined, named, namesOf } from './names.ts'

export const claimKind = defineKind(kinds.Claim, {
  columns: ['NAME', 'PHASE', 'SOURCE', 'POOL', 'ENVIRONMENT', 'ENDS', 'AGE', 'ID'],
  async namesNeeded({ client, signal }, items) {
    const all = await items
    const poolIds = all.map(({ spec }) => spec.warmPoolId)
    const environmentIds = all.map(({ status }) => status.environmentId)
    return await joined(
      namesOf(client.warmPools, poolIds, signal),
      namesOf(client.environments, environmentIds, signal),
    )
  },
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    terminal.tone(phaseTone(status.phase), status.phase),
    status.source,
    named(names, spec.warmPoolId),
    named(names, status.environmentId),
    nextEnd(status.life, now),
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.claims.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.claims.get(reference, { signal }),
  describe: (claim, { terminal, now }) => describePlain(claim, terminal, now),
  async remove({ client, signal }, reference, { force }) {
    const { metadata, status } = await client.claims.get(reference, { signal })
    await client.claims.release(metadata.id, { force, signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) => {
        if (status.environmentId === null) return true
        const environment = await client.environments
          .get(status.environmentId, { signal: waiting })
          .catch(goneIsNull)
        return environment === null || environment.status.phase === 'deleted'
      },
    }
  },
})
