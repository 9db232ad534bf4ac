import type { LogChunk } from '@hearth/contract'
import type { Services } from '../../../api/services.ts'
import { activePhases } from '../decide.ts'
import type { ProcessRow } from '../table.ts'
import { type ReadOptions, readProcessLog, whenSeen } from './read.ts'

type Options = Pick<ReadOptions, 'follow' | 'signal'>

/**
 * What the runs of one start print, one after another. With `follow`, reads on until that start is over: it is at rest, or
 * another took its place.
 */
export async function* readRequestLog(
  services: Services,
  row: ProcessRow,
  request: number,
  { follow, signal }: Options,
): AsyncGenerator<LogChunk> {
  const isOver = (seen: ProcessRow) => seen.request !== request || !activePhases.has(seen.phase)
  for (let read = 0; ; ) {
    const before = read
    const seen = follow
      ? await whenSeen(services, row, signal, (now) => isOver(now) || newestRun(now, request) > before)
      : row
    for (const number of await runsOf(services, row.id, request, before)) {
      yield* readProcessLog(services, seen ?? row, { run: number, follow, signal })
      read = number
    }
    if (!follow || signal.aborted || seen === null || (isOver(seen) && read === before)) return
  }
}

const newestRun = ({ status: { run } }: ProcessRow, request: number) =>
  run?.request === request ? run.number : 0

async function runsOf(
  { database }: Services,
  processId: string,
  request: number,
  after: number,
): Promise<number[]> {
  const rows = await database
    .selectFrom('process_runs')
    .select('number')
    .where('process_id', '=', processId)
    .where('request', '=', request)
    .where('number', '>', after)
    .orderBy('number')
    .execute()
  return rows.map(({ number }) => number)
}
