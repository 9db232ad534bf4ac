import { setTimeout as delay } from 'node:timers/promises'
import { type LogChunk, type StepStatus, stepKey } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Services } from '../../../api/services.ts'
import { followEvents, newestPosition } from '../../event/index.ts'
import { findEnvironment } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { ReadSteps } from './read-steps.ts'

/** How long to wait for the last output once provisioning is over: the final chunk may be lost. */
const lostEndMilliseconds = 5_000

export interface ReadOptions {
  step?: string
  follow: boolean
  signal: AbortSignal
}

/**
 * The output of an environment's steps, as sent by the runners it was placed on, the earliest runner first. Output that
 * other runners send under its id is never read. With `follow`, reads until provisioning has ended.
 */
export async function* readLogs(
  services: Services,
  row: EnvironmentRow,
  { step, follow, signal }: ReadOptions,
): AsyncGenerator<LogChunk> {
  const of = step === undefined ? {} : { step }
  const former = (row.status.formerRunnerIds ?? []).filter((id) => id !== row.runner_id)
  for (const runnerId of former)
    yield* services.messaging.readLogs(runnerId, row.id, { ...of, follow: false, signal })
  if (follow && provisions(row)) yield* followLogs(services, row, of, signal)
  else if (row.runner_id !== null)
    yield* services.messaging.readLogs(row.runner_id, row.id, { ...of, follow: false, signal })
}

/** With `follow`, goes on with each runner that the environment is moved to. */
async function* followLogs(
  services: Services,
  row: EnvironmentRow,
  of: { step?: string },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  for (let read: string | null = null; ; ) {
    const known: string | null = read
    const placed = await whenSeen(
      services,
      row,
      signal,
      (seen) => !provisions(seen) || (seen.runner_id !== null && seen.runner_id !== known),
    )
    if (placed === null || placed.runner_id === null || placed.runner_id === known) return
    read = placed.runner_id
    yield* followRunner(services, row, read, of, signal)
  }
}

/**
 * The output that one runner sends. Ends when all output of the steps has arrived after provisioning, or when the
 * environment is on another runner.
 */
async function* followRunner(
  services: Services,
  row: EnvironmentRow,
  runnerId: string,
  of: { step?: string },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  const read = new ReadSteps()
  let printed: readonly StepStatus[] | null = null
  const endWhenComplete = () => {
    if (printed !== null && read.hasAllOf(printed)) done.abort()
  }
  const watch = async () => {
    const left = await whenSeen(
      services,
      row,
      either,
      (seen) => !provisions(seen) || seen.runner_id !== runnerId,
    )
    if (left === null || left.runner_id !== runnerId) return
    const steps = [...left.status.steps, ...(left.status.binding?.steps ?? [])]
    printed = steps.filter((step) => of.step === undefined || stepKey(step) === of.step)
    endWhenComplete()
    await delay(lostEndMilliseconds, undefined, { signal: either, ref: false }).catch(() => undefined)
  }
  watch()
    .catch((error: unknown) => {
      services.log.warn(
        { err: toError(error), environmentId: row.id },
        'could not follow an environment to the end of its provisioning',
      )
    })
    .finally(() => done.abort())
  try {
    for await (const chunk of services.messaging.readLogs(runnerId, row.id, {
      ...of,
      follow: true,
      signal: either,
    })) {
      yield chunk
      read.note(chunk)
      endWhenComplete()
    }
  } finally {
    done.abort()
  }
}

/** Whether its steps, or those that bind it to its claim, still print. */
function provisions({ phase, status }: Pick<EnvironmentRow, 'phase' | 'status'>): boolean {
  return (
    phase === 'pending' ||
    phase === 'provisioning' ||
    (phase === 'running' && status.binding?.phase === 'running')
  )
}

/** The environment as it is once `isSo`; null when it is gone or the signal aborts first. */
async function whenSeen(
  services: Services,
  row: EnvironmentRow,
  signal: AbortSignal,
  isSo: (seen: EnvironmentRow) => boolean,
): Promise<EnvironmentRow | null> {
  const look = () => findEnvironment(services.database, { organizationId: row.organization_id }, row.id)
  const filter = { organizationId: row.organization_id, kind: 'Environment' as const, resourceId: row.id }
  const position = await newestPosition(services.database)
  const first = await look()
  if (first === undefined || isSo(first)) return first ?? null
  for await (const _ of followEvents(services, filter, position, signal)) {
    const seen = await look()
    if (seen === undefined || isSo(seen)) return seen ?? null
  }
  return null
}
