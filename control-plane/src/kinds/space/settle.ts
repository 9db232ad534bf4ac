import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { KeptProcesses, ProcessRow } from '../process/index.ts'
import type { AppFacts } from './app-facts.ts'
import { cronTask, isAsWanted } from './cron-task.ts'
import { decide, type SeenProcess, type SeenSpace, type SpaceAction } from './decide.ts'
import { tidyScript } from './guest/index.ts'
import { placeOf } from './guest/place.ts'
import { taskOf } from './process-spec.ts'
import type { SpaceRow } from './table.ts'
import { changeSpaceStatus } from './write.ts'

/** What a space depends on. */
export interface SpaceSurroundings {
  app: AppFacts
  kept: KeptProcesses
  /** Ids of all its deployments that may keep something. */
  deploymentIds: ReadonlySet<string>
  lastId: string | null
  underway: SeenSpace['underway']
  now: Date
}

/** Does what follows from what is wanted and seen of a space, until nothing does. The row must have been read under lock. */
export async function settleSpace(
  tx: DatabaseTransaction,
  row: SpaceRow,
  around: SpaceSurroundings,
): Promise<SpaceRow> {
  let current = row
  const most = 8 * (around.kept.all().length + 8)
  for (let step = 0; step < most; step += 1) {
    const action = decide(lookAt(current, around))
    if (action === null) return current
    current = await carryOut(tx, current, action, around)
  }
  throw new Error(`space ${row.id} does not settle`)
}

function lookAt(row: SpaceRow, around: SpaceSurroundings): SeenSpace {
  const { app, kept, deploymentIds, lastId, underway } = around
  const own = kept.of(row.id)
  const isGoing = ({ desired }: ProcessRow) => desired === 'delete'
  const wanted = new Map(row.spec.cronJobs.map((job) => [job.name, job]))
  const tasks = new Map(
    own.flatMap((task) =>
      task.spec.keptBy?.role.startsWith(cronRole) ? [[roleOf(task), task] as const] : [],
    ),
  )
  const tidying = own.find((task) => task.spec.keptBy?.role === 'tidy')
  return {
    phase: row.phase,
    desired: row.desired,
    waitsFor: row.status.waitsFor,
    failure: row.status.failure,
    app,
    currentId: row.current_deployment_id,
    lastId,
    underway,
    processes: kept.all().flatMap((one) => {
      const { id = '' } = one.spec.keptBy ?? {}
      return deploymentIds.has(id) ? [toSeen(one, id)] : []
    }),
    cronJobs: [...new Set([...wanted.keys(), ...tasks.keys()])].map((name) => {
      const [job, task] = [wanted.get(name), tasks.get(name)]
      return {
        name,
        isWanted: job !== undefined && row.status.refusedCronJobs[name] === undefined,
        task:
          task === undefined
            ? null
            : {
                id: task.id,
                isGoing: isGoing(task),
                isAsWanted: job !== undefined && isAsWanted(task, cronTask(row, app, job)),
              },
      }
    }),
    tidying: {
      isDone: row.status.tidiedFor === row.current_deployment_id,
      task:
        tidying === undefined ? null : { id: tidying.id, isOver: isOver(tidying), isGoing: isGoing(tidying) },
    },
  }
}

const cronRole = 'cron '
const roleOf = ({ spec }: ProcessRow) => spec.keptBy?.role.slice(cronRole.length) ?? ''
const isOver = ({ phase }: ProcessRow) => phase === 'succeeded' || phase === 'failed' || phase === 'stopped'

function toSeen(
  { id, name, kind, phase, desired, status, spec }: ProcessRow,
  deploymentId: string,
): SeenProcess {
  const { waitsFor, failure } = status
  return { id, name, kind, phase, desired, waitsFor, failure, deploymentId, role: spec.keptBy?.role ?? '' }
}

/** Whether the removal of older releases goes on: a deployment would not be known to it. */
export const isTidying = (kept: KeptProcesses, spaceId: string): boolean =>
  kept.of(spaceId).some((task) => task.spec.keptBy?.role === 'tidy' && !isOver(task))

async function carryOut(
  tx: DatabaseTransaction,
  row: SpaceRow,
  action: SpaceAction,
  { app, kept, now }: SpaceSurroundings,
): Promise<SpaceRow> {
  switch (action.do) {
    case 'remove':
    case 'end':
    case 'start': {
      const process = kept.all().find(({ id }) => id === action.processId)
      if (process !== undefined) await kept[action.do](process)
      return row
    }
    case 'make-cron-job': {
      const job = row.spec.cronJobs.find(({ name }) => name === action.name)
      const failure = job === undefined ? null : await kept.make([cronTask(row, app, job)])
      if (failure === null) return row
      const refusedCronJobs = { ...row.status.refusedCronJobs, [action.name]: failure.message }
      return changeSpaceStatus(tx, row, { status: { refusedCronJobs }, now })
    }
    case 'tidy': {
      const place = placeOf(row.type)
      const failure = await kept.make([
        taskOf({
          name: `${place.user}-tidy-${(row.current_deployment_id ?? '').slice(-8)}`,
          command: tidyScript(place, row.status.releases),
          keptBy: { kind: 'Space', id: row.id, role: 'tidy' },
          creator: row.creator,
          deadlineSeconds: 600,
        }),
      ])
      // What is left over is removed after the next deployment.
      return failure === null ? row : noteTidied(tx, row, now)
    }
    case 'note-tidied':
      return noteTidied(tx, row, now)
    case 'stand': {
      const { phase, waitsFor, failure } = action
      return changeSpaceStatus(tx, row, { phase, status: { waitsFor, failure }, now })
    }
    default:
      return assertNever(action)
  }
}

const noteTidied = (tx: DatabaseTransaction, row: SpaceRow, now: Date) =>
  changeSpaceStatus(tx, row, { status: { tidiedFor: row.current_deployment_id }, now })
