import {
  pipelineCreateSchema,
  pipelineNameSchema,
  pipelinePhaseSchema,
  pipelineUpdateSchema,
  pipelineKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changePipeline } from './commands/change.ts'
import { createPipeline } from './commands/create.ts'
import { deletePipeline } from './commands/delete.ts'
import { clearPipeline, dismissPipelineError } from './commands/request.ts'
import { pipelineLogRoute } from './log/route.ts'
import { listPipelineEvents, pipelineParams, showProgram } from './program-routes.ts'
import { pipelines } from './queries.ts'
import { recordSilent } from './record.ts'
import { type PipelineRow, toPipeline } from './table.ts'
import { trafficRoutes } from './traffic/routes.ts'
import { explainPipeline } from './why.ts'

const routes = routesOf({
  words,
  params: pipelineParams,
  find: pipelines.find,
  show: (_, row: PipelineRow) => toPipeline(row),
})
const change = { description: 'The pipeline', roles: writers }
const request = {
  ...change,
  status: 200 as const,
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
      'clear',
      { ...request, summary: 'Remove what a pipeline has stored, for good' },
      clearPipeline,
    ),
    routes.action(
      'dismiss-error',
      { ...request, summary: 'Forget the error with which a pipeline stopped' },
      dismissPipelineError,
    ),
    routes.why('Say in words why a pipeline is as it is', async (_, row) => {
      const { id, name, phase } = row
      return { kind: 'Pipeline', id, name, phase, ...explainPipeline(toPipeline(row)) }
    }),
  ],
  everyMinute: ({ database, clock }) => recordSilent(database, clock.now()),
}
