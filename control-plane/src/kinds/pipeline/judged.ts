import { HearthError } from '@hearth/foundation'
import { type JudgedPipeline, judge, type PipelineChanges, type PipelineRequest } from './requests.decide.ts'
import type { PipelineRow } from './table.ts'

/** What a request changes of a pipeline; a refusal is thrown, with `facts.refusal`. */
export function requireJudged(row: PipelineRow, request: PipelineRequest): PipelineChanges {
  const judgement = judge(judgedOf(row), request)
  if ('changes' in judgement) return judgement.changes
  const { refusal, because } = judgement
  const storageBound = request.do === 'edit' ? { storageBound: request.storageBound } : {}
  throw new HearthError('conflict', `pipeline ${row.name}: ${because}`, {
    facts: { refusal, ...storageBound },
  })
}

function judgedOf({ resources, desired, runtime, program, storage, ...row }: PipelineRow): JudgedPipeline {
  const { initial, bootstrapPolicy } = row.spec
  return {
    ...{ resources, desired, runtime, program, storage, initial, bootstrapPolicy },
    desiredRuntime: row.desired_runtime,
    hasError: row.status.error !== null,
    takesStandby: row.spec.runtime.takesStandby,
  }
}
