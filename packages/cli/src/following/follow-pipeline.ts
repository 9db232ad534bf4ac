import { isProgramFaulty, type Pipeline, pipelineSchema } from '@hearth/contract'
import { assertNever, type Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { View } from '../kinds/kind.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { pipelineProgress, programFaults } from '../output/pipeline-text.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** What a pipeline is waited for. */
export type PipelineGoal = 'compiled' | 'running' | 'paused' | 'standby' | 'stopped' | 'cleared'

/** Shows a pipeline live until it is as wanted; throws with the cause where it will not be. */
export async function followPipeline(
  { client, signal }: View,
  asked: Pipeline,
  goal: PipelineGoal,
  { terminal, clock }: { terminal: Terminal; clock: Clock },
): Promise<Pipeline> {
  const title = `pipeline ${asked.metadata.name}`
  const ended = await followResource(
    client,
    asked,
    {
      kind: 'Pipeline',
      schema: pipelineSchema,
      title,
      read: (id, reading) => client.pipelines.get(id, reading),
      hasEnded: (pipeline) => isReached(pipeline, goal) || whyNot(pipeline, goal) !== null,
      isGood: (pipeline) => isReached(pipeline, goal),
      summary: (pipeline) => `${title}: ${pipelineProgress(pipeline)}`,
      draw: (pipeline) => terminal.tone(phaseTone(pipeline.status.phase), pipelineProgress(pipeline)),
      changes: (before, next) =>
        pipelineProgress(before) === pipelineProgress(next) ? [] : [`${title}: ${pipelineProgress(next)}`],
    },
    { terminal, clock, signal },
  )
  const because = isReached(ended, goal) ? null : whyNot(ended, goal)
  if (because === null) return ended
  throw new CommandError(`${title}: ${because}`, exitCodes.failure)
}

function isReached({ spec, status }: Pipeline, goal: PipelineGoal): boolean {
  switch (goal) {
    case 'compiled':
      return status.program === 'success'
    case 'running':
    case 'paused':
    case 'standby':
      return status.resources === 'provisioned' && status.runtime === goal
    case 'stopped':
      return status.resources === 'stopped' && spec.desired === 'stopped'
    case 'cleared':
      return status.storage === 'cleared'
    default:
      return assertNever(goal)
  }
}

/** Why it will not come to that by itself; null while it may. */
function whyNot({ metadata: { name }, spec, status }: Pipeline, goal: PipelineGoal): string | null {
  switch (goal) {
    case 'compiled':
      return isProgramFaulty(status.program) ? programFaults(status) : null
    case 'running':
    case 'paused':
    case 'standby':
      if (isProgramFaulty(status.program)) return programFaults(status)
      if (status.runtime === 'awaiting_approval')
        return `its program is not the one that made what is stored: hearth pipeline approve ${name} has it go on`
      return status.resources === 'stopped' && spec.desired === 'stopped' ? stoppedWith(status) : null
    case 'stopped':
      return null
    case 'cleared':
      return status.storage === 'in_use' ? 'its storage is in use again' : null
    default:
      return assertNever(goal)
  }
}

const stoppedWith = ({ error }: Pipeline['status']) =>
  error === null ? 'it was stopped meanwhile' : `it stopped with ${error.code}: ${error.message}`
