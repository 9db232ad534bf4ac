import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { requireJudged } from '../judged.ts'
import { pipelines } from '../queries.ts'
import type { PipelineRequest } from '../requests.decide.ts'
import type { PipelineRow } from '../table.ts'
import { changePipelineRow } from '../write.ts'

/** What a request made of a pipeline, and whether anything was other before. */
export interface RequestOutcome {
  row: PipelineRow
  isChanged: boolean
}

/** A request that a pipeline is judged by: refused, or what it changes is written. */
export function requestCommand<Body>(
  toRequest: (body: Body) => PipelineRequest,
): Command<OnOne<Body>, RequestOutcome> {
  return {
    async run(tx, context, { reference, body }) {
      const row = await pipelines.lockForChange(tx, context, reference)
      const { storage, isErrorDismissed } = requireJudged(row, toRequest(body))
      if (storage === undefined && isErrorDismissed === undefined) return { row, isChanged: false }
      const changed = await changePipelineRow(tx, row, {
        ...(storage === undefined ? {} : { storage }),
        ...(isErrorDismissed === true ? { status: { error: null } } : {}),
        isWish: true,
        now: context.services.clock.now(),
      })
      return { row: changed, isChanged: true }
    },
  }
}

export const clearPipeline = requestCommand<unknown>(() => ({ do: 'clear' }))
export const dismissPipelineError = requestCommand<unknown>(() => ({ do: 'dismiss-error' }))
