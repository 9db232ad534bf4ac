import { setTimeout as delay } from 'node:timers/promises'
import { type LogChunk, processLogKey } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Services } from '../../../api/services.ts'
import { followEvents, newestPosition } from '../../event/index.ts'
import { activePhases } from '../decide.ts'
import { processes } from '../queries.ts'
import type { ProcessRow } from '../table.ts'

/** How long to wait for the last output once it has ended: the final piece may be lost. */
const lostEndMilliseconds = 5_000

export interface ReadOptions {
  /** Of this run alone; of all when absent. */
  run?: number
  since?: Date
  follow: boolean
  signal: AbortSignal
}

/**
 * What the runs of a process have printed, as its runners sent it, the earliest runner first. With `follow`, reads on until
 * it is at rest, or until the run has ended where one was asked for.
 */
export async function* readProcessLog(
  services: Services,
  row: ProcessRow,
  { run, since, follow, signal }: ReadOptions,
): AsyncGenerator<LogChunk> {
  const of = {
    ...(run === undefined ? { process: row.id } : { step: processLogKey(row.id, run) }),
    ...(since === undefined ? {} : { since }),
  }
  const isOver = (seen: ProcessRow) => !activePhases.has(seen.phase) || hasEnded(seen, run)
  const runners = await runnersOf(services, row)
  // The last output of what ended a moment ago may come after its end.
  const isSettled = isOver(row) && !hasJustEnded(row, services.clock.now())
  if (!follow || isSettled || runners.length === 0) {
    for (const runnerId of runners)
      yield* services.messaging.readLogs(runnerId, row.environment_id, { ...of, follow: false, signal })
    if (!follow || runners.length > 0) return
  }
  const placed = await whenSeen(services, row, signal, (seen) => isOver(seen) || seen.runner_id !== null)
  const [runnerId] = placed === null ? [] : (await runnersOf(services, placed)).slice(-1)
  if (runnerId === undefined) return
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  let last: number | null = null
  let ended = -1
  const endWhenComplete = () => {
    if (last !== null && ended >= last) done.abort()
  }
  whenSeen(services, row, either, isOver)
    .then(async (seen) => {
      if (seen === null) return
      last = run ?? seen.status.runs
      if (last === 0) return
      endWhenComplete()
      await delay(lostEndMilliseconds, undefined, { signal: either, ref: false }).catch(() => undefined)
    })
    .catch((error: unknown) =>
      services.log.warn({ err: toError(error), processId: row.id }, 'could not follow a process to its end'),
    )
    .finally(() => done.abort())
  try {
    for await (const chunk of services.messaging.readLogs(runnerId, row.environment_id, {
      ...of,
      follow: true,
      signal: either,
    })) {
      yield chunk
      if (chunk.end) ended = Math.max(ended, Number(chunk.step.split('.').at(-1)))
      endWhenComplete()
    }
  } finally {
    done.abort()
  }
}

/** Within so many milliseconds after its end, the output of a run may still be on its way. */
const underwayMilliseconds = 60_000

function hasJustEnded({ status }: ProcessRow, now: Date): boolean {
  const finishedAt = status.run?.finishedAt ?? null
  return finishedAt !== null && now.getTime() - Date.parse(finishedAt) < underwayMilliseconds
}

const hasEnded = ({ status }: ProcessRow, run: number | undefined) =>
  run !== undefined && (status.runs > run || (status.run?.number === run && status.run.finishedAt !== null))

/** The same for one that may be gone with its machine by now. */
export async function* readProcessLogById(
  services: Services,
  { id, environmentId }: { id: string; environmentId: string },
  { follow, signal }: ReadOptions,
): AsyncGenerator<LogChunk> {
  const row = await processes.readById(services.database, id)
  if (row !== undefined) {
    yield* readProcessLog(services, row, { follow, signal })
    return
  }
  for (const runnerId of await runnersOf(services, { runner_id: null, environment_id: environmentId }))
    yield* services.messaging.readLogs(runnerId, environmentId, { process: id, follow: false, signal })
}

/** The runners on which its environment was and is, the earliest first. */
async function runnersOf(
  { database }: Services,
  row: Pick<ProcessRow, 'runner_id' | 'environment_id'>,
): Promise<string[]> {
  const place = await database
    .selectFrom('environments')
    .select(['runner_id', 'status'])
    .where('id', '=', row.environment_id)
    .executeTakeFirst()
  const present = row.runner_id ?? place?.runner_id ?? null
  const former = (place?.status.formerRunnerIds ?? []).filter((id) => id !== present)
  return present === null ? former : [...former, present]
}

/** The process as it is once `isSo`; null when it is gone or the signal aborts first. */
export async function whenSeen(
  services: Services,
  row: ProcessRow,
  signal: AbortSignal,
  isSo: (seen: ProcessRow) => boolean,
): Promise<ProcessRow | null> {
  const kind = row.kind === 'task' ? ('Task' as const) : ('Service' as const)
  const position = await newestPosition(services.database)
  const first = await processes.readById(services.database, row.id)
  if (first === undefined || isSo(first)) return first ?? null
  const filter = { organizationId: row.organization_id, kind, resourceId: row.id }
  for await (const _ of followEvents(services, filter, position, signal)) {
    const seen = await processes.readById(services.database, row.id)
    if (seen === undefined || isSo(seen)) return seen ?? null
  }
  return null
}
