import { isDeepStrictEqual } from 'node:util'
import type { CronJob } from '@hearth/contract'
import type { NewKeptProcess, ProcessRow } from '../process/index.ts'
import type { AppFacts } from './app-facts.ts'
import { cronCommand } from './guest/index.ts'
import { placeOf } from './guest/place.ts'
import { taskOf } from './process-spec.ts'
import type { SpaceRow } from './table.ts'

/** The task of a cron job: it runs in whichever release is the current one then. */
export function cronTask(row: SpaceRow, { parts }: AppFacts, job: CronJob): NewKeptProcess {
  const place = placeOf(row.type)
  return taskOf({
    name: `${place.user}-cron-${job.name}`,
    command: cronCommand(parts, place, job.command, row.spec.variables),
    keptBy: { kind: 'Space', id: row.id, role: `cron ${job.name}` },
    creator: row.creator,
    schedule: { cron: job.schedule, timeZone: job.timeZone, overlap: 'skip' },
  })
}

export const isAsWanted = ({ spec }: ProcessRow, wanted: NewKeptProcess): boolean =>
  isDeepStrictEqual(spec, wanted.spec)
