import type { QuotaLimits } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { decideCompile } from './compile.decide.ts'
import { carryOutCompile, type Given } from './compile.ts'
import { decide } from './decide.ts'
import { takeJournal } from './journal.ts'
import { carryOutLife } from './life.ts'
import { lookAtCompile, lookAtPipeline } from './look.ts'
import { pipelines } from './queries.ts'
import { runtimeShown } from './runtime.decide.ts'
import { openScene, type Scene } from './scene.ts'
import type { PipelineRow } from './table.ts'

/** Steps that follow of themselves; more would be a circle. */
const mostSteps = 24

/** Sees to one pipeline, its machine, its volume and what is compiled. */
export const pipelineReconciler = ({ quotas }: { quotas: QuotaLimits }): Reconciler => ({
  kind: 'pipeline',
  async reconcile(id, { tx, clock, timings }) {
    let row = await pipelines.lockById(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    for (let step = 0; step < mostSteps; step += 1) {
      const scene = await openScene(tx, row, now)
      const told: PipelineRow = await takeJournal(tx, row, scene)
      const taken = await takeStep(tx, told, scene, { quotas, clock })
      if (taken.isOver) {
        const rest = taken.isUntold ? [new Date(now.getTime() + timings.quotaRest)] : []
        return earliest([...timesOf(taken.row, scene), ...rest], now)
      }
      row = taken.row
    }
    throw new Error(`pipeline ${id} does not settle`)
  },
})

interface Taken {
  row: PipelineRow
  /** Whether only an event or a time can change anything now. */
  isOver: boolean
  /** Whether it waits for something of whose end nobody tells it, such as room in a quota. */
  isUntold: boolean
}

async function takeStep(
  tx: DatabaseTransaction,
  row: PipelineRow,
  scene: Scene,
  given: Given,
): Promise<Taken> {
  const seen = await lookAtPipeline(tx, row, scene)
  const action = decide(seen, scene.now)
  if (action !== null) {
    const after = await carryOutLife(tx, row, action, scene, given)
    return taken(row, after, action.do === 'make-machine')
  }
  if (row.resources === 'stopped') {
    const compile = decideCompile(await lookAtCompile(tx, row, scene), scene.now)
    if (compile !== null) {
      const after = await carryOutCompile(tx, row, compile, scene, given)
      return taken(row, after, compile.do === 'make-machine')
    }
  }
  const waitsForCopy = row.resources === 'provisioning' && seen.copy.state === 'coming'
  const isHindered = (seen.volume?.hindrance ?? null) !== null
  return { row, isOver: true, isUntold: waitsForCopy || isHindered }
}

/** A machine that could not be made yet is tried again later. */
function taken(before: PipelineRow, row: PipelineRow, isForMachine: boolean): Taken {
  const isUnmade =
    isForMachine && row.environment_id === before.environment_id && row.resources === before.resources
  return { row, isOver: isUnmade, isUntold: isUnmade }
}

/** When something is due though nothing happens. */
function timesOf({ deadline, resources, work, status }: PipelineRow, { machine, now }: Scene): Date[] {
  const times = deadline === null ? [] : [deadline]
  if (resources !== 'provisioned') return times
  const silentRunner = machine?.unreachable === true ? '' : null
  const { until } = runtimeShown(
    { told: work.told, silentRunner, since: new Date(status.since.resources) },
    now,
  )
  return until === null ? times : [...times, until]
}

function earliest(times: readonly Date[], now: Date): Date | null {
  const left = times.filter((time) => time > now).map((time) => time.getTime())
  return left.length === 0 ? null : new Date(Math.min(...left))
}
