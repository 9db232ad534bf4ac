import {
  idSchema,
  nameSchema,
  volumeAttachSchema,
  volumeClearSchema,
  volumeCreateSchema,
  volumeDetachSchema,
  volumePhaseSchema,
  volumeSnapshotSchema,
  volumeUpdateSchema,
  volumeKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { attachVolume } from './commands/attach.ts'
import { changeVolume } from './commands/change.ts'
import { clearVolume } from './commands/clear.ts'
import { createVolume, snapshotVolume } from './commands/create.ts'
import { deleteVolume } from './commands/delete.ts'
import { detachVolume } from './commands/detach.ts'
import { volumes, volumesToLookAt } from './queries.ts'
import { attachmentReconciler, volumeReconciler } from './reconcile.ts'
import { toVolume, type VolumeRow } from './table.ts'
import { explainVolume } from './why-queries.ts'
import { volumeWorkKind } from './work/kind.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: volumes.find,
  show: (_, row: VolumeRow) => toVolume(row),
})
const change = { description: 'The volume', roles: writers }

export const volumeKind: Kind = {
  name: 'volume',
  routes: [
    routes.list(
      { summary: 'List volumes', description: words.tag },
      {
        name: nameSchema.optional(),
        environmentId: idSchema.optional(),
        phase: volumePhaseSchema.optional(),
      },
      (queryable, { name, environmentId, phase, ...page }) =>
        volumes.list(queryable, page, { name, environment_id: environmentId, phase }),
    ),
    routes.create(
      { ...change, summary: 'Make a volume, empty or as a copy', body: volumeCreateSchema },
      createVolume,
    ),
    routes.show({ summary: 'Show a volume', description: 'The volume' }),
    routes.update(
      {
        ...change,
        summary: 'Enlarge a volume, or change where it is mounted; one that failed is tried again',
        body: volumeUpdateSchema,
      },
      changeVolume,
    ),
    routes.remove(
      { ...change, summary: 'Delete a volume with all that is on it', status: 202, takesForce: true },
      deleteVolume,
    ),
    routes.action(
      'attach',
      { ...change, summary: 'Give a volume to one machine', status: 202, body: volumeAttachSchema },
      attachVolume,
    ),
    routes.action(
      'detach',
      { ...change, summary: 'Take a volume out of its machine', status: 202, body: volumeDetachSchema },
      detachVolume,
    ),
    routes.action(
      'clear',
      { ...change, summary: 'Empty a volume', status: 202, body: volumeClearSchema },
      clearVolume,
    ),
    routes.action(
      'snapshots',
      { ...change, summary: 'Make an immutable copy of a volume', status: 201, body: volumeSnapshotSchema },
      snapshotVolume,
    ),
    routes.why('Say in words why a volume is as it is', (queryable, row) => explainVolume(queryable, row)),
  ],
  work: volumeWorkKind,
  reconcilers: () => [volumeReconciler, attachmentReconciler],
  everyMinute: async ({ database }) => wakeAll(database, 'volume', await volumesToLookAt(database)),
}
