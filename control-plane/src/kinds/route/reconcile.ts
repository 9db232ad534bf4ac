import { type QuotaLimits, routeWork } from '@hearth/contract'
import { assertNever, HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { type EnvironmentRow, environments, runEnvironment } from '../environment/index.ts'
import { readLimits } from '../quota/index.ts'
import { domainAtFirst } from './custom-domain.ts'
import { decide, type RouteAction, type SeenMachine, type SeenRoute } from './decide.ts'
import { countRoutes, isHostTaken, lockRoutesOf } from './queries.ts'
import type { RouteRow } from './table.ts'
import { changeRouteStatus, removeRoute } from './write.ts'

/** Sees to all routes of one environment, by whose id it is woken. */
export const routeReconciler = (installation: QuotaLimits): Reconciler => ({
  kind: 'route',
  async reconcile(environmentId, { tx, clock }) {
    const environment = await environments.lockById(tx, environmentId)
    if (environment === undefined) return null
    const now = clock.now()
    const rows = await lockRoutesOf(tx, environmentId)
    const woken = await answerWakes(tx, environment, rows, installation, now)
    const left = await settleRoutes(tx, environment, woken, now)
    const times = left.flatMap(({ deadline }) => deadline ?? []).filter((time) => time > now)
    return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
  },
})

/**
 * Does what follows from what is wanted and seen of the routes of an environment, until nothing does. The rows must have
 * been read under lock. Returns those that are left.
 */
export async function settleRoutes(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly RouteRow[],
  now: Date,
): Promise<RouteRow[]> {
  if (rows.length === 0) return []
  const machine = await lookAtMachine(tx, environment)
  const left: RouteRow[] = []
  for (const row of rows) {
    const settled = await settleRoute(tx, row, machine, now)
    if (settled !== null) left.push(settled)
  }
  return left
}

/** A route takes a few steps at most. */
async function settleRoute(
  tx: DatabaseTransaction,
  row: RouteRow,
  machine: SeenMachine,
  now: Date,
): Promise<RouteRow | null> {
  let current: RouteRow | null = row
  for (let step = 0; step < 8; step += 1) {
    const action: RouteAction | null = decide(await lookAt(tx, current, machine), machine, now)
    if (action === null) return current
    current = await carryOut(tx, current, machine, action, now)
    if (current === null) return null
  }
  throw new Error(`route ${row.id} does not settle`)
}

async function lookAtMachine(tx: DatabaseTransaction, row: EnvironmentRow): Promise<SeenMachine> {
  const { name, phase, desired_phase: desiredPhase, unreachable, runner_id: runnerId } = row
  const runner =
    runnerId === null
      ? undefined
      : await tx
          .selectFrom('runners')
          .select(['name', 'work_kinds', 'status'])
          .where('id', '=', runnerId)
          .executeTakeFirst()
  const facts = runner?.status.facts ?? null
  return {
    ...{ name, phase, desiredPhase, unreachable, runnerId },
    runner:
      runner === undefined || runnerId === null
        ? null
        : {
            name: runner.name,
            isAble: runner.work_kinds?.includes(routeWork.kind) ?? false,
            ingress: facts?.ingress ?? null,
            ingressFault: facts?.ingressFault ?? null,
            routes: await countRoutes(tx, { runnerId }),
          },
  }
}

async function lookAt(tx: DatabaseTransaction, row: RouteRow, { runner }: SeenMachine): Promise<SeenRoute> {
  const base = runner?.ingress?.base
  const { proxyPort, waitsFor, failure } = row.status
  return {
    ...{ name: row.name, phase: row.phase, desired: row.desired, runnerId: row.runner_id, host: row.host },
    ...{ proxyPort, waitsFor, failure, deadline: row.deadline },
    isTaken: base !== undefined && (await isHostTaken(tx, `${row.name}.${base}`, row.id)),
  }
}

/** Resolves with the row as it is then; null when it is gone. */
async function carryOut(
  tx: DatabaseTransaction,
  row: RouteRow,
  machine: SeenMachine,
  action: RouteAction,
  now: Date,
): Promise<RouteRow | null> {
  switch (action.do) {
    case 'remove':
      await removeRoute(tx, row)
      return null
    case 'close':
      return changeRouteStatus(tx, row, { phase: 'deleting', deadline: action.deadline, now })
    case 'wait': {
      const { waitsFor, deadline } = action
      return changeRouteStatus(tx, row, {
        ...{ phase: 'pending', deadline, runnerId: null, now },
        status: { waitsFor, failure: null },
      })
    }
    case 'open': {
      const { host, proxyPort, deadline } = action
      return changeRouteStatus(tx, row, {
        ...{ phase: 'opening', host, deadline, runnerId: machine.runnerId, now },
        status: {
          ...{ proxyPort, waitsFor: null, failure: null },
          // Another proxy has not seen it yet.
          ...(host === row.host ? {} : { domain: domainAtFirst(row.spec.customDomain, now) }),
        },
      })
    }
    case 'take-back':
      return changeRouteStatus(tx, row, { phase: 'pending', deadline: null, runnerId: null, now })
    case 'postpone':
      return changeRouteStatus(tx, row, { deadline: action.deadline, now })
    case 'fail': {
      const { failure } = action
      const isForgotten = failure.code !== 'deadline_passed'
      return changeRouteStatus(tx, row, {
        ...{ phase: 'failed', deadline: null, now },
        ...(isForgotten ? { runnerId: null, host: null } : {}),
        status: { failure, waitsFor: null },
      })
    }
    default:
      return assertNever(action)
  }
}

/** Starts the machine that a request asked for while it was off; what keeps it from that is said where it was asked for. */
async function answerWakes(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly RouteRow[],
  installation: QuotaLimits,
  now: Date,
): Promise<RouteRow[]> {
  if (!rows.some(({ status }) => status.wake?.isHandled === false)) return [...rows]
  const fault = await startForRequest(tx, environment, installation, now)
  const answered: RouteRow[] = []
  for (const row of rows) {
    const { wake } = row.status
    answered.push(
      wake === null || wake.isHandled
        ? row
        : await changeRouteStatus(tx, row, { status: { wake: { ...wake, fault, isHandled: true } }, now }),
    )
  }
  return answered
}

/** Why the machine is not started; null when it is. */
async function startForRequest(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  installation: QuotaLimits,
  now: Date,
): Promise<string | null> {
  const { name, phase, desired_phase: desired, status } = row
  if (desired === 'deleted') return `environment ${name} is being deleted`
  if (phase === 'failed')
    return `environment ${name} has failed: ${status.failure?.message ?? 'no cause is known'}`
  if (desired === 'running') return null
  try {
    await runEnvironment(tx, row, await readLimits(tx, installation, row.organization_id), now)
    return null
  } catch (thrown) {
    // Refusals come before anything is written.
    if (thrown instanceof HearthError) return thrown.message
    throw thrown
  }
}
