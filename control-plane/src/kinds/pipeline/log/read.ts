import { setTimeout as delay } from 'node:timers/promises'
import { isProcessLogKey, isProgramFaulty, type LogChunk } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Services } from '../../../api/services.ts'
import { pipelines } from '../queries.ts'
import type { PipelineRow } from '../table.ts'
import { type LoggedMachine, newestMachine, readMachine } from './machines.ts'
import { untilFound } from './until-found.ts'

/** How long to wait for the last output of a machine that is gone: the final piece may be lost. */
const lostEndMilliseconds = 5_000

export interface PipelineLogOptions {
  follow: boolean
  signal: AbortSignal
}

/**
 * What the newest machine of a pipeline printed for it, from its beginning: its program, or the compiler of that. With `follow`, goes
 * on with each further machine, until the pipeline is at rest.
 */
export async function* readPipelineLog(
  services: Services,
  row: PipelineRow,
  { follow, signal }: PipelineLogOptions,
): AsyncGenerator<LogChunk> {
  const { database } = services
  for (let read: string | null = null; ; ) {
    const known: string | null = read
    const machine = follow
      ? await untilFound(services, pipelineOf(row), signal, async () => {
          const newest = await newestMachine(database, row.id)
          if (newest !== null && newest.id !== known) return newest
          return (await isAtRest(services, row.id)) ? 'none' : null
        })
      : await newestMachine(database, row.id)
    if (machine === null || machine === 'none') return
    read = machine.id
    yield* readMachineLog(services, row, machine, { follow, signal })
    if (!follow) return
  }
}

const pipelineOf = ({ organization_id, id }: PipelineRow) => ({
  organizationId: organization_id,
  kind: 'Pipeline' as const,
  resourceId: id,
})

/** Nothing follows by itself. */
async function isAtRest({ database }: Services, id: string): Promise<boolean> {
  const row = await pipelines.readById(database, id)
  if (row === undefined) return true
  const { resources, desired, program } = row
  const isCompiled = program === 'success' || isProgramFaulty(program)
  return resources === 'stopped' && desired === 'stopped' && isCompiled
}

async function* readMachineLog(
  services: Services,
  row: PipelineRow,
  machine: LoggedMachine,
  { follow, signal }: PipelineLogOptions,
): AsyncGenerator<LogChunk> {
  const { database, messaging } = services
  const environment = { ...pipelineOf(row), kind: 'Environment' as const, resourceId: machine.id }
  const seen = (isSo: (now: LoggedMachine | null) => boolean, until: AbortSignal) =>
    untilFound(services, environment, until, async () => {
      const now = await readMachine(database, machine.id)
      return isSo(now) ? { now } : null
    })
  const placed = follow
    ? ((await seen((now) => now === null || now.isOver || now.runnerId !== null, signal))?.now ?? null)
    : machine
  const runnerId = placed?.runnerId ?? null
  if (placed === null || runnerId === null) return
  for (const former of placed.formerRunnerIds)
    yield* ofProcesses(messaging.readLogs(former, machine.id, { follow: false, signal }))
  if (!follow || placed.isOver) {
    yield* ofProcesses(messaging.readLogs(runnerId, machine.id, { follow: false, signal }))
    return
  }
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  const open = new Set<string>()
  let isOver = false
  seen((now) => now === null || now.isOver, either)
    .then(async (over) => {
      if (over === null) return
      isOver = true
      if (open.size > 0)
        await delay(lostEndMilliseconds, undefined, { signal: either, ref: false }).catch(() => undefined)
    })
    .catch((error: unknown) =>
      services.log.warn(
        { err: toError(error), environmentId: machine.id },
        'could not follow a machine to its end',
      ),
    )
    .finally(() => done.abort())
  try {
    for await (const chunk of ofProcesses(
      messaging.readLogs(runnerId, machine.id, { follow: true, signal: either }),
    )) {
      yield chunk
      if (chunk.end) open.delete(chunk.step)
      else open.add(chunk.step)
      if (isOver && open.size === 0) done.abort()
    }
  } finally {
    done.abort()
  }
}

/** Not what its set-up printed. */
async function* ofProcesses(chunks: AsyncIterable<LogChunk>): AsyncGenerator<LogChunk> {
  for await (const chunk of chunks) if (isProcessLogKey(chunk.step)) yield chunk
}
