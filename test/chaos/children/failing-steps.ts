import type { Guest, GuestStep, StepEvent } from '@hearth/runner-agent'
import { failingCommand } from './messages.ts'

/** A synthetic guest runs nothing: a step with the failing command fails all the same. */
export async function* failingSteps(
  guest: Guest,
  ...[steps, origin, signal]: Parameters<Guest['runSteps']>
): AsyncGenerator<StepEvent> {
  for await (const event of guest.runSteps(steps, origin, signal)) {
    const step = steps[event.kind === 'outcome' ? event.index : -1]
    if (event.kind !== 'outcome' || step === undefined || !fails(step) || !('times' in event.outcome)) {
      yield event
      continue
    }
    const { limitSeconds, commands } = step
    const command = commands.findIndex((one) => one.command === failingCommand)
    const { times } = event.outcome
    const outcome = { kind: 'failed', exitCode: 1, command, cause: 'exit', limitSeconds, times } as const
    yield { ...event, outcome }
    return
  }
}

const fails = ({ commands }: GuestStep) => commands.some(({ command }) => command === failingCommand)
