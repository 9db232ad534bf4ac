import type { KindDefinition, kinds } from '@hearth/contract'
import { describePlain, type Resource } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { defineKind, type Kind } from './kind.ts'
import { type Removable, removeFrom } from './remove-from.ts'

/** A kind without a presentation of its own: name, phase, age and id. */
export function plainKind(kind: KindDefinition): Kind {
  const name = kind.kind as keyof typeof kinds
  return defineKind(kind as KindDefinition<Resource>, {
    columns: ['NAME', 'PHASE', 'AGE', 'ID'],
    row: ({ metadata, status }, { terminal, now }) => [
      metadata.name,
      terminal.tone(phaseTone(status.phase), status.phase),
      formatAge(metadata.createdAt, now),
      metadata.id,
    ],
    fetchAll: async ({ client, signal }) =>
      (await client.resources(name).listAll({}, { signal })) as unknown as Resource[],
    fetchOne: async ({ client, signal }, reference) =>
      (await client.resources(name).get(reference, { signal })) as unknown as Resource,
    describe: (resource, { terminal, now }) => describePlain(resource, terminal, now),
    remove: removeFrom((client) => client.resources(name) as unknown as Removable),
  })
}

/** Whether a kind's resources have metadata, spec and status; tokens and observers do not. */
export function isResource({ schema }: KindDefinition): boolean {
  return 'shape' in schema && 'metadata' in (schema.shape as object)
}
