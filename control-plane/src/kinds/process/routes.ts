import {
  idSchema,
  type KindDefinition,
  listSchema,
  processPhaseSchema,
  processRunSchema,
} from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import { type AddRoute, routesOf } from '../../resource/routes.ts'
import { deleteProcess, restartProcess, startProcess, stopProcess } from './commands/change.ts'
import { type ProcessUpdate, updateProcess } from './commands/update.ts'
import { logRoute } from './log/route.ts'
import { listProcesses, processQueries, readRuns } from './queries.ts'
import { type ProcessKind, type ProcessRow, toListedProcess, toProcess } from './table.ts'
import { explainProcess } from './why-queries.ts'

/** The routes that tasks and services have alike, and the maker of others. */
export function processRoutes(kind: ProcessKind, words: KindDefinition) {
  const routes = routesOf({
    words,
    params: idOrSharedNameParams,
    find: (queryable, caller, reference) => processQueries[kind].find(queryable, caller, reference),
    show: (_, row: ProcessRow) => toProcess(row),
    showListed: (_, rows: readonly ProcessRow[]) => rows.map(toListedProcess),
  })
  const change = { description: `The ${kind}`, roles: writers, status: 200 as const }
  const update = <Body extends z.ZodType<ProcessUpdate>>(body: Body) =>
    routes.update(
      {
        ...change,
        summary: `Change what a ${kind} runs from its next run on; not while it runs, and not what is declared`,
        body,
      },
      updateProcess(kind),
    )
  const common: AddRoute[] = [
    routes.list(
      { summary: `List ${kind}s, of one environment or claim or of all`, description: words.tag },
      {
        name: nameQuery,
        environmentId: idSchema.optional(),
        claimId: idSchema.optional(),
        phase: processPhaseSchema.optional(),
      },
      (queryable, filter) => listProcesses(queryable, kind, filter),
    ),
    routes.show({ summary: `Show a ${kind} with its last run`, description: `The ${kind}` }),
    routes.action(
      'start',
      { ...change, summary: `Start a ${kind} and what it depends on; one that runs is left as it is` },
      startProcess(kind),
    ),
    routes.action(
      'restart',
      { ...change, summary: `Start a ${kind} anew; the run that it has is ended first` },
      restartProcess(kind),
    ),
    routes.action('stop', { ...change, summary: `End the run of a ${kind}` }, stopProcess(kind)),
    routes.remove(
      {
        ...change,
        summary: `Delete a ${kind} that no project declares; its run is ended first`,
        status: 202,
      },
      deleteProcess(kind),
    ),
    routes.why(`Say in words why a ${kind} is as it is`, (queryable, row) => explainProcess(queryable, row)),
    runsRoute(kind, words),
    logRoute(kind, words),
  ]
  return { ...routes, update, common }
}

function runsRoute(kind: ProcessKind, words: KindDefinition): AddRoute {
  return (application, services) =>
    addEndpoint(application, services, {
      method: 'get',
      path: `${words.path}/{id}/runs`,
      tag: words.tag,
      summary: `The newest runs of a ${kind}, the newest first`,
      roles: readers,
      params: idOrSharedNameParams,
      answer: { status: 200, schema: listSchema(processRunSchema), description: 'Runs' },
      handle: async ({ caller, params: { id } }) => {
        const row = found(await processQueries[kind].find(services.database, caller, id), kind, id)
        return { status: 200, value: { items: await readRuns(services.database, row.id), next: null } }
      },
    })
}
