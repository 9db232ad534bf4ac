import { type EnvironmentOrder, type EnvironmentReport, environmentWork } from './environment.ts'
import { type ProcessOrder, type ProcessReport, processWork } from './process.ts'
import { type RouteOrder, type RouteReport, routeWork } from './route.ts'
import { type SnapshotOrder, type SnapshotReport, snapshotWork } from './snapshot.ts'
import { type VolumeOrder, type VolumeReport, volumeWork } from './volume.ts'
import type { WorkMessages } from './work.ts'

/** An order of any kind of work there is. */
export type WorkOrder = EnvironmentOrder | ProcessOrder | RouteOrder | SnapshotOrder | VolumeOrder
/** A report of any kind of work there is. */
export type WorkReport = EnvironmentReport | ProcessReport | RouteReport | SnapshotReport | VolumeReport

/** The kinds of work that this version knows. Programs leave alone what is of another one. */
export const knownWork: readonly WorkMessages[] = [
  environmentWork,
  snapshotWork,
  processWork,
  routeWork,
  volumeWork,
]
