import {
  pipelineActivateSchema,
  pipelineApproveSchema,
  pipelineCreateSchema,
  pipelineNameSchema,
  pipelinePhaseSchema,
  pipelineStartSchema,
  pipelineStopSchema,
  pipelineUpdateSchema,
  pipelineKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changePipeline } from './commands/change.ts'
import { createPipeline } from './commands/create.ts'
import { deletePipeline } from './commands/delete.ts'
import {
  activatePipeline,
  approvePipeline,
  clearPipeline,
  compilePipeline,
  dismissPipelineError,
  pausePipeline,
  resumePipeline,
  startPipeline,
  stopPipeline,
} from './commands/request.ts'
import { pipelineLogRoute } from './log/route.ts'
import { listPipelineEvents, pipelineParams, showProgram } from './program-routes.ts'
import { pipelines, unsettledPipelines } from './queries.ts'
import { pipelineReconciler } from './reconcile.ts'
import { recordSilent } from './record.ts'
import { type PipelineRow, toPipeline } from './table.ts'
import { trafficRoutes } from './traffic/routes.ts'
import { explain } from './why-queries.ts'

const routes = routesOf({
  words,
  params: pipelineParams,
  find: pipelines.find,
  show: (_, row: PipelineRow) => toPipeline(row),
})
const change = { description: 'The pipeline', roles: writers }
const request = {
  ...change,
  status: 202 as const,
  value: ({ row }: { row: PipelineRow }) => toPipeline(row),
}

export const pipelineKind: Kind = {
  name: 'pipeline',
  routes: [
    routes.list(
      { summary: 'List pipelines', description: words.tag },
      { name: pipelineNameSchema.optional(), phase: pipelinePhaseSchema.optional() },
      (queryable, { name, phase, ...page }) => pipelines.list(queryable, page, { name, phase }),
    ),
    routes.create({ ...change, summary: 'Make a pipeline', body: pipelineCreateSchema }, createPipeline),
    routes.show({ summary: 'Show a pipeline', description: 'The pipeline' }),
    routes.update(
      { ...change, summary: 'Change a pipeline that is stopped', body: pipelineUpdateSchema },
      changePipeline,
    ),
    routes.remove(
      { ...change, summary: 'Delete a pipeline that is stopped and has nothing stored' },
      deletePipeline,
    ),
    showProgram,
    listPipelineEvents,
    pipelineLogRoute,
    ...trafficRoutes,
    routes.action(
      'compile',
      { ...request, summary: 'Compile the program of a pipeline again, as where a host was lost' },
      compilePipeline,
    ),
    routes.action(
      'start',
      {
        ...request,
        summary: 'Start a pipeline, once its program is compiled, on what it has stored',
        body: pipelineStartSchema,
      },
      startPipeline,
    ),
    routes.action(
      'stop',
      {
        ...request,
        summary: 'Have a pipeline store where it is, then stop it; with force it is stopped at once',
        body: pipelineStopSchema,
      },
      stopPipeline,
    ),
    routes.action('pause', { ...request, summary: 'Pause a running pipeline' }, pausePipeline),
    routes.action('resume', { ...request, summary: 'Have a paused pipeline go on' }, resumePipeline),
    routes.action(
      'activate',
      { ...request, summary: 'Have a standby take over', body: pipelineActivateSchema },
      activatePipeline,
    ),
    routes.action(
      'approve',
      {
        ...request,
        summary: 'Approve that a changed program computes what it stores anew',
        body: pipelineApproveSchema,
      },
      approvePipeline,
    ),
    routes.action(
      'clear',
      { ...request, status: 200, summary: 'Remove what a pipeline has stored, for good' },
      clearPipeline,
    ),
    routes.action(
      'dismiss-error',
      { ...request, status: 200, summary: 'Forget the error with which a pipeline stopped' },
      dismissPipelineError,
    ),
    routes.why('Say in words why a pipeline is as it is', (queryable, row) => explain(queryable, row)),
  ],
  reconcilers: ({ quotas }) => [pipelineReconciler({ quotas })],
  everyMinute: async ({ database, clock, log }) => {
    await recordSilent(database, clock.now(), log)
    await wakeAll(database, 'pipeline', await unsettledPipelines(database))
  },
}
