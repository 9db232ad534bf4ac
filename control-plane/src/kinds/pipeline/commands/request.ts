import type { PipelineActivate, PipelineApprove, PipelineStart, PipelineStop } from '@hearth/contract'
import { noProgramError } from '@hearth/contract'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { dropCompiled, nothingCompiled } from '../compile.ts'
import { requireJudged } from '../judged.ts'
import { pipelines } from '../queries.ts'
import type { PipelineChanges, PipelineRequest } from '../requests.decide.ts'
import type { PipelineRow } from '../table.ts'
import { changePipelineRow, type PipelineChange } from '../write.ts'

/** What a request made of a pipeline. */
export interface RequestOutcome {
  before: PipelineRow
  row: PipelineRow
}

/** A request that a pipeline is judged by: refused, or what it changes is written, and its reconciler does the rest. */
export function requestCommand<Body>(
  toRequest: (body: Body) => PipelineRequest,
): Command<OnOne<Body>, RequestOutcome> {
  return {
    async run(tx, context, { reference, body }) {
      const before = await pipelines.lockForChange(tx, context, reference)
      const changes = requireJudged(before, toRequest(body))
      if (Object.keys(changes).length === 0) return { before, row: before }
      const now = context.services.clock.now()
      if (changes.program !== undefined) await dropCompiled(tx, before, now)
      const change = { ...changeOf(before, changes), isWish: true, now }
      const row = await changePipelineRow(tx, before, change)
      await wake(tx, 'pipeline', row.id)
      return { before, row }
    },
  }
}

function changeOf(
  row: PipelineRow,
  { desired, desiredRuntime, start, storage, program, isErrorDismissed, approval }: PipelineChanges,
): Omit<PipelineChange, 'now'> {
  return {
    ...(desired === undefined ? {} : { desired }),
    ...(desiredRuntime === undefined ? {} : { desired_runtime: desiredRuntime }),
    ...(storage === undefined ? {} : { storage }),
    ...(program === undefined ? {} : { ...nothingCompiled, status: { programError: noProgramError } }),
    ...(isErrorDismissed === true ? { status: { error: null } } : {}),
    ...(start === undefined ? {} : startOf(row, start)),
    ...(approval === undefined ? {} : { work: { bootstrap: approval, isApproved: true } }),
    // One that has no machine to give back is stopped at once.
    ...(desired === 'stopped' && row.resources === 'stopped'
      ? { spec: { ...row.spec, initial: null, bootstrapPolicy: null } }
      : {}),
  }
}

function startOf(row: PipelineRow, start: NonNullable<PipelineChanges['start']>) {
  const { initial, bootstrapPolicy, silentBootstrap, concurrentBootstrap } = start
  const bootstrap = { silentBootstrap, concurrentBootstrap }
  return {
    spec: { ...row.spec, initial, bootstrapPolicy },
    work: { bootstrap, isApproved: false, journal: null, told: null },
  }
}

export const startPipeline = requestCommand<PipelineStart>((body) => ({ do: 'start', ...body }))
export const stopPipeline = requestCommand<PipelineStop>(({ force }) => ({ do: 'stop', force }))
export const pausePipeline = requestCommand<unknown>(() => ({ do: 'pause' }))
export const resumePipeline = requestCommand<unknown>(() => ({ do: 'resume' }))
export const activatePipeline = requestCommand<PipelineActivate>(({ initial }) => ({
  do: 'activate',
  initial,
}))
export const approvePipeline = requestCommand<PipelineApprove>((body) => ({ do: 'approve', ...body }))
export const compilePipeline = requestCommand<unknown>(() => ({ do: 'compile' }))
export const clearPipeline = requestCommand<unknown>(() => ({ do: 'clear' }))
export const dismissPipelineError = requestCommand<unknown>(() => ({ do: 'dismiss-error' }))
