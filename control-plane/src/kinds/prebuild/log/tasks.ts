import { isPrebuildActive, type LogChunk, type PrebuildTask } from '@hearth/contract'
import type { Services } from '../../../api/services.ts'
import { followEvents, newestPosition } from '../../event/index.ts'
import { readProcessLogById } from '../../process/index.ts'
import { prebuilds } from '../queries.ts'
import type { PrebuildRow } from '../table.ts'

interface Reading {
  follow: boolean
  signal: AbortSignal
}

export interface TasksToRead {
  environmentId: string
  tasks: readonly PrebuildTask[]
}

/** What a prebuild runs in its machine beside the steps; while these go on, it is not known yet. */
export async function tasksToRead(
  services: Services,
  { id, organization_id: organizationId }: PrebuildRow,
  { follow, signal }: Reading,
): Promise<TasksToRead | null> {
  const position = await newestPosition(services.database)
  const read = async () => {
    const row = await prebuilds.readById(services.database, id)
    const isKnown = row === undefined || row.status.tasks !== undefined || !isPrebuildActive(row.phase)
    return { row, isKnown: isKnown || row.phase === 'stopping' || row.phase === 'snapshotting' }
  }
  let seen = await read()
  if (follow && !seen.isKnown) {
    const filter = { organizationId, kind: 'Prebuild' as const, resourceId: id }
    for await (const _ of followEvents(services, filter, position, signal)) {
      seen = await read()
      if (seen.isKnown) break
    }
  }
  const { row } = seen
  if (row?.environment_id == null) return null
  return { environmentId: row.environment_id, tasks: row.status.tasks ?? [] }
}

/** What they print, one after another: each is followed to its end. */
export async function* taskChunks(
  services: Services,
  reading: TasksToRead | null,
  { follow, signal }: Reading,
): AsyncGenerator<LogChunk> {
  if (reading === null) return
  const { environmentId, tasks } = reading
  // A service is ended when the tasks are done: followed before them, it would keep them from being shown.
  const inTurn = [
    ...tasks.filter(({ kind }) => kind === 'task'),
    ...tasks.filter(({ kind }) => kind === 'service'),
  ]
  for (const { id } of inTurn) yield* readProcessLogById(services, { id, environmentId }, { follow, signal })
}

const runLog = /^process-(.+)\.(\d+)$/

/** What the log of each run goes by, in words. */
export function namesOf(reading: TasksToRead | null): (step: string) => string {
  const known = new Map(reading?.tasks.map(({ id, kind, name }) => [id, `${kind} ${name}`]))
  return (step) => {
    const [, id = '', run = ''] = runLog.exec(step) ?? []
    const name = known.get(id)
    if (name === undefined) return step
    return run === '1' ? name : `${name}, run ${run}`
  }
}
