import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { deploymentIdsOf, lastDeploymentOf, settleDeployments } from '../deployment/index.ts'
import { environments } from '../environment/index.ts'
import { KeptProcesses } from '../process/index.ts'
import { lockSpacesOf, readAppFacts, type SpaceRow, settleSpace, tellAddresses } from '../space/index.ts'
import { decide, type WebAppAction } from './decide.ts'
import { beginDeletion, desireDeletion, forget } from './deletion.ts'
import { lookAt, toMachine } from './look.ts'
import { lockWebAppOf, readRoutes } from './queries.ts'
import type { Scene } from './scene.ts'
import type { WebAppRow } from './table.ts'
import { removalTasks, setUpTask } from './tasks.ts'
import { changeWebApp } from './write.ts'

/** Sees to the web app of one environment, its spaces and what is deployed to them; it is woken by the environment's id. */
export const webAppReconciler: Reconciler = {
  kind: 'web-app',
  async reconcile(environmentId, { tx, clock }) {
    const environment = await environments.lockById(tx, environmentId)
    if (environment === undefined) return null
    const row = await lockWebAppOf(tx, environmentId)
    if (row === undefined) return null
    const now = clock.now()
    const scene: Scene = {
      environment,
      spaces: await lockSpacesOf(tx, row.id),
      kept: await KeptProcesses.lock(tx, environment, now),
      now,
    }
    const left = await settleWebApp(tx, row, scene)
    const at = left?.desired === 'keep' ? await settleSpaces(tx, left, scene) : []
    await scene.kept.settle()
    const times = [left?.deadline ?? [], at].flat().filter((time) => time > now)
    return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
  },
}

/** Does what follows of itself, until nothing does; null when it is gone. */
async function settleWebApp(
  tx: DatabaseTransaction,
  row: WebAppRow,
  scene: Scene,
): Promise<WebAppRow | null> {
  let current: WebAppRow | null = row
  for (let step = 0; step < 8; step += 1) {
    const seen = lookAt(current, scene.kept.all())
    const action = decide(seen, toMachine(scene.environment), scene.now)
    if (action === null) return current
    current = await carryOut(tx, current, action, scene)
    if (current === null) return null
  }
  throw new Error(`web app ${row.id} does not settle`)
}

async function carryOut(
  tx: DatabaseTransaction,
  row: WebAppRow,
  action: WebAppAction,
  scene: Scene,
): Promise<WebAppRow | null> {
  const { kept, now } = scene
  switch (action.do) {
    case 'set-up': {
      const failure = await kept.make([setUpTask(row)])
      return failure === null ? row : changeWebApp(tx, row, { phase: 'failed', failure, now })
    }
    case 'wait':
      return changeWebApp(tx, row, { waitsFor: action.waitsFor, now })
    case 'be-ready':
      return changeWebApp(tx, row, { phase: 'ready', failure: null, now })
    case 'fail':
      return changeWebApp(tx, row, { phase: 'failed', failure: action.failure, now })
    case 'desire-deletion':
      return desireDeletion(tx, row, scene)
    case 'begin-deletion':
      return beginDeletion(tx, row, action.deadline, scene)
    case 'remove-files': {
      const failure = await kept.make(removalTasks(row))
      return failure === null ? row : forget(tx, row, failure.message, scene)
    }
    case 'forget':
      return forget(tx, row, action.warning, scene)
    default:
      return assertNever(action)
  }
}

async function settleSpaces(tx: DatabaseTransaction, row: WebAppRow, scene: Scene): Promise<Date[]> {
  const { environment, kept, now } = scene
  const app = await readAppFacts(tx, row.id)
  const at: Date[] = []
  for (const space of await withAddresses(tx, scene)) {
    const settled = await settleDeployments(tx, space, { environment, app, kept, now })
    at.push(...settled.at)
    const first = settled.underway[0]
    await settleSpace(tx, settled.space, {
      app,
      kept,
      now,
      deploymentIds: new Set(await deploymentIdsOf(tx, space.id)),
      lastId: await lastDeploymentOf(tx, space.id),
      underway: first === undefined ? null : { id: first.id, endedRoles: first.status.endedRoles ?? [] },
    })
  }
  return at
}

/** The spaces, with the addresses that their routes have by now. */
async function withAddresses(tx: DatabaseTransaction, { spaces, now }: Scene): Promise<SpaceRow[]> {
  const routes = await readRoutes(
    tx,
    spaces.flatMap(({ route_id }) => route_id ?? []),
  )
  const seen: SpaceRow[] = []
  for (const space of spaces) seen.push(await tellAddresses(tx, space, routes.get(space.route_id ?? ''), now))
  return seen
}
