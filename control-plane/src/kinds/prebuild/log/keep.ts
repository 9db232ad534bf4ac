import { isPrebuildActive, isProcessLogKey, type LogChunk, startOfText } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { asText } from '../../../api/open-log/text.ts'
import type { Services } from '../../../api/services.ts'
import { transact } from '../../../database/transact.ts'
import { findEnvironment, readLogs } from '../../environment/index.ts'
import { prebuilds } from '../queries.ts'
import type { PrebuildRow } from '../table.ts'
import { namesOf, taskChunks, tasksToRead } from './tasks.ts'

/** Of a log that is kept, in bytes; the beginning stays. */
export const mostLogBytes = 4 * 1024 * 1024
/** Of one row, in bytes. */
const partBytes = 64 * 1024
const keptAtOnce = 20
/** After that it is given up: the stream of logs has forgotten it by then. */
const keptWithinMilliseconds = 24 * 3_600_000
/** The runner may send the last lines after the phase. */
const restMilliseconds = 10_000

/** The output of a prebuild's steps: live while it works, afterwards what was kept of it. */
export async function* readPrebuildLog(
  services: Services,
  row: PrebuildRow,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  if (row.log_kept) {
    const parts = await services.database
      .selectFrom('prebuild_logs')
      .select('text')
      .where('prebuild_id', '=', row.id)
      .orderBy('position')
      .execute()
    for (const { text } of parts) yield text
    return
  }
  const options = { follow: follow && isPrebuildActive(row.phase), signal }
  yield* asText(chunksOf(services, row, options))
  const tasks = await tasksToRead(services, row, options)
  yield* asText(taskChunks(services, tasks, options), namesOf(tasks))
}

/** Keeps the logs of prebuilds that have ended, since the stream of logs is bounded and their machines go. */
export async function keepLogs(services: Services): Promise<void> {
  const { database, clock, log } = services
  const now = clock.now().getTime()
  const rows = await database
    .selectFrom('prebuilds')
    .selectAll()
    .where('ended_at', '<', new Date(now - restMilliseconds))
    .where('ended_at', '>', new Date(now - keptWithinMilliseconds))
    .where('log_kept', '=', false)
    .where('phase', '<>', 'deleted')
    .orderBy('ended_at')
    .limit(keptAtOnce)
    .execute()
  for (const row of rows)
    await keepLog(services, row).catch((error: unknown) =>
      log.warn({ err: toError(error), prebuildId: row.id }, 'could not keep the log of a prebuild'),
    )
}

async function keepLog(services: Services, row: PrebuildRow): Promise<void> {
  const signal = AbortSignal.any([services.stopping, AbortSignal.timeout(30_000)])
  const text = await startOfLog(readPrebuildLog(services, row, { follow: false, signal }))
  signal.throwIfAborted()
  const parts: string[] = []
  for (let rest = text; rest !== ''; rest = rest.slice(parts.at(-1)?.length ?? 0))
    parts.push(startOfText(rest, partBytes))
  await transact(services.database, async (tx) => {
    const locked = await prebuilds.lockById(tx, row.id)
    // Another replica may have been quicker.
    if (locked === undefined || locked.log_kept) return
    const values = parts.map((part, position) => ({ prebuild_id: row.id, position, text: part }))
    if (values.length > 0) await tx.insertInto('prebuild_logs').values(values).execute()
    await tx.updateTable('prebuilds').set({ log_kept: true }).where('id', '=', row.id).execute()
  })
}

/** The start of a log that is kept, as PostgreSQL can keep it. */
async function startOfLog(parts: AsyncIterable<string>): Promise<string> {
  const kept: string[] = []
  let left = mostLogBytes
  for await (const part of parts) {
    const text = part.toWellFormed().replaceAll('\0', '\uFFFD')
    const start = startOfText(text, left)
    kept.push(start)
    left -= Buffer.byteLength(start)
    if (start.length === text.length) continue
    kept.push('\n[the rest is not kept]\n')
    break
  }
  return kept.join('')
}

async function* chunksOf(
  services: Services,
  row: PrebuildRow,
  options: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<LogChunk> {
  if (row.environment_id === null) return
  const scope = { organizationId: row.organization_id }
  const machine = await findEnvironment(services.database, scope, row.environment_id)
  if (machine === undefined) return
  // What its tasks print is shown by their names.
  for await (const chunk of readLogs(services, machine, options))
    if (!isProcessLogKey(chunk.step)) yield chunk
}
