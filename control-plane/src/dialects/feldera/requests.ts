import { bootstrapPolicySchema, type PipelineRuntimeDesired, pipelineInitialSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { writers } from '../../api/caller.ts'
import type { Command } from '../../api/command.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import {
  activatePipeline,
  approvePipeline,
  clearPipeline,
  dismissPipelineError,
  pausePipeline,
  type RequestOutcome,
  resumePipeline,
  startPipeline,
  stopPipeline,
} from '../../kinds/pipeline/index.ts'
import { FelderaError, felderaErrors } from './error.ts'
import { findPipeline, nameParams } from './names.ts'
import { pascal } from './words.ts'

const tag = 'Pipelines'
const none = z.strictObject({})
const flag = (usual: 'true' | 'false') => z.enum(['true', 'false']).default(usual)
const bootstrap = { silent_bootstrap: flag('false'), concurrent_bootstrap: flag('false') }
// A word that is none of these has a code of its own.
const initial = z
  .string()
  .max(100)
  .default('running')
  .meta({ description: `one of ${pipelineInitialSchema.options.join(', ')}` })
const startQuery = z.object({
  initial,
  bootstrap_policy: bootstrapPolicySchema.default('await_approval'),
  ...bootstrap,
  dismiss_error: flag('true'),
})
const activateQuery = z.object({ initial: z.enum(['running', 'paused']).default('running') })

interface Asked<Query extends z.ZodObject, Body> {
  path: string
  summary: string
  query: Query
  status: 200 | 202
  command: Command<{ reference: string; body: Body }, RequestOutcome>
  toBody(query: z.output<Query>): Body
  toSentence(outcome: RequestOutcome): string
}

/** What is asked of a pipeline, answered with a sentence. */
export function addRequestRoutes(application: Application, services: Services): void {
  const add = <Query extends z.ZodObject, Body>(asked: Asked<Query, Body>) => {
    const { path, summary, query, status, command, toBody, toSentence } = asked
    addEndpoint(
      application,
      services,
      {
        method: 'post',
        path: `/pipelines/{pipeline_name}/${path}`,
        tag,
        summary,
        roles: writers,
        params: nameParams,
        query: query as z.ZodObject,
        answer: { status, schema: z.string(), description: 'What is being done' },
        handle: async ({ caller, params, query: given, perform }) => {
          const body = toBody(given as z.output<Query>)
          const { id: reference } = await findPipeline(services, caller, params.pipeline_name)
          return perform(command, { reference, body }, (outcome) => ({ status, value: toSentence(outcome) }))
        },
      },
      felderaErrors,
    )
  }
  add({
    ...{ path: 'start', summary: 'Start a pipeline', query: startQuery, status: 202 },
    command: startPipeline,
    toBody: (given) => ({
      initial: requireInitial(given.initial),
      bootstrapPolicy: given.bootstrap_policy,
      ...bootstrapOf(given),
      dismissError: given.dismiss_error === 'true',
    }),
    toSentence: () => 'Pipeline is starting',
  })
  add({
    ...{ path: 'stop', summary: 'Stop a pipeline', query: z.object({ force: flag('false') }), status: 202 },
    command: stopPipeline,
    toBody: ({ force }) => ({ force: force === 'true' }),
    toSentence: ({ row }) =>
      row.desired === 'stopped' ? 'Pipeline is forcefully stopping' : 'Pipeline is suspending',
  })
  add({
    ...{ path: 'pause', summary: 'Pause a pipeline', query: none, status: 202 },
    command: pausePipeline,
    toBody: () => undefined,
    toSentence: transition('paused'),
  })
  add({
    ...{ path: 'resume', summary: 'Have a paused pipeline go on', query: none, status: 202 },
    command: resumePipeline,
    toBody: () => undefined,
    toSentence: transition('running'),
  })
  add({
    ...{ path: 'activate', summary: 'Have a standby take over', query: activateQuery, status: 202 },
    command: activatePipeline,
    toBody: (given) => given,
    toSentence: ({ before, row }) => transition(row.desired_runtime ?? 'running')({ before }),
  })
  add({
    path: 'approve',
    summary: 'Approve that a changed program computes what it stores anew',
    ...{ query: z.object(bootstrap), status: 200 },
    command: approvePipeline,
    toBody: bootstrapOf,
    toSentence: () => 'Pipeline bootstrap has been approved',
  })
  add({
    ...{ path: 'clear', summary: 'Remove what a pipeline has stored', query: none, status: 202 },
    command: clearPipeline,
    toBody: () => undefined,
    toSentence: () => 'Pipeline storage is being cleared',
  })
  add({
    path: 'dismiss_error',
    summary: 'Forget the error with which a pipeline stopped',
    ...{ query: none, status: 200 },
    command: dismissPipelineError,
    toBody: () => undefined,
    toSentence: () => 'Pipeline deployment error has been dismissed',
  })
}

const transition =
  (to: PipelineRuntimeDesired) =>
  ({ before: { runtime, desired_runtime } }: Pick<RequestOutcome, 'before'>) =>
    `Pipeline transitioning from ${pascal(runtime ?? desired_runtime ?? 'unavailable')} to ${pascal(to)}`

const bootstrapOf = (given: { silent_bootstrap: string; concurrent_bootstrap: string }) => ({
  silentBootstrap: given.silent_bootstrap === 'true',
  concurrentBootstrap: given.concurrent_bootstrap === 'true',
})

function requireInitial(given: string) {
  const parsed = pipelineInitialSchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new FelderaError(
    405,
    'UnsupportedPipelineAction',
    `a pipeline starts as ${pipelineInitialSchema.options.join(', ')}, not as ${given}`,
    { initial: given },
  )
}
