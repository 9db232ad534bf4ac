import { type EnvironmentOrder, type StepStatus, stepKey } from '@hearth/contract'
import { LogPublisher } from '../../reporting/log-publisher.ts'
import type { SecretAutomaton } from '../secret-automaton.ts'
import type { EnvironmentContext } from './environment-context.ts'
import { StepOutput } from './step-output.ts'

const progressMilliseconds = 1_000

/** Sends one step's output to the live log, and about once a second into the step's status. */
export function openStepLog(
  order: EnvironmentOrder,
  status: StepStatus,
  secrets: SecretAutomaton,
  context: Pick<EnvironmentContext, 'logs' | 'clock' | 'log' | 'closing' | 'track'>,
  onProgress: (progress: Pick<StepStatus, 'output' | 'outputBytes'>) => void,
): StepOutput {
  const { clock } = context
  const logs = new LogPublisher(
    context.logs,
    order.runnerId,
    { environmentId: order.id, step: stepKey(status) },
    clock,
    context.log,
    context.closing,
  )
  let reported = clock.now().getTime()
  const output: StepOutput = new StepOutput(secrets, {
    onText: (text, offset) => {
      logs.add(text, offset)
      const now = clock.now().getTime()
      if (now - reported < progressMilliseconds) return
      reported = now
      onProgress({ output: output.shown, outputBytes: output.bytes })
    },
    onEnd: (bytes) => context.track(logs.end(bytes)),
  })
  return output
}
