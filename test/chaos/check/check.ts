import { checkClaims } from './claims.ts'
import { checkDeadlines } from './deadlines.ts'
import { checkEvents } from './events.ts'
import type { History, Violation } from './history.ts'
import { checkHosts } from './hosts.ts'
import { checkIntents } from './intents.ts'
import { checkPipelines } from './pipelines.ts'
import { checkPrebuilds } from './prebuilds.ts'
import { checkRoutes } from './routes.ts'
import { checkSnapshots } from './snapshots.ts'
import { checkStarts } from './starts.ts'
import { checkTasks } from './tasks.ts'
import { checkTemplates } from './templates.ts'
import { checkVersions } from './versions.ts'
import { checkVolumes } from './volumes.ts'
import { checkWebApps } from './web-apps.ts'

/** Checks a run against the promises of Hearth; a pure function of what was recorded. */
export function check(history: History): Violation[] {
  return [
    ...checkClaims(history),
    ...checkIntents(history),
    ...checkHosts(history),
    ...checkSnapshots(history),
    ...checkPrebuilds(history),
    ...checkTemplates(history),
    ...checkStarts(history),
    ...checkTasks(history),
    ...checkRoutes(history),
    ...checkVolumes(history),
    ...checkWebApps(history),
    ...checkPipelines(history),
    ...checkDeadlines(history),
    ...checkVersions(history),
    ...checkEvents(history),
    ...history.goneLayers.map((message): Violation => ({ rule: 'layer in use', message, lasting: true })),
    ...history.oversold.map((message): Violation => ({ rule: 'capacity', message, lasting: true })),
    ...history.leaks.map((message): Violation => ({ rule: 'secrets', message, lasting: true })),
  ]
}
