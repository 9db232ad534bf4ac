import { type LogChunk, type StepStatus, stepKey } from '@hearth/contract'

/** Steps whose output is in the status only, and not in the log. */
const unloggedSteps: readonly StepStatus['name'][] = [
  'create_vm',
  'ensure_server',
  'set_env_vars',
  'bind_variables',
]

/** Tracks how far the output of each step has been read. */
export class ReadSteps {
  private readonly positions = new Map<string, { bytes: number; end: boolean }>()

  note({ step, offset, text, end }: Pick<LogChunk, 'step' | 'offset' | 'text' | 'end'>): void {
    // The newest chunk counts: after a retry each step prints from its start again.
    this.positions.set(step, { bytes: offset + Buffer.byteLength(text), end })
  }

  /**
   * Whether all output of these steps has been read: the last piece of each step that has ended, and of the others as
   * many bytes as their status names.
   */
  hasAllOf(steps: readonly StepStatus[]): boolean {
    return steps.every((step) => {
      if (step.outputBytes === 0 || unloggedSteps.includes(step.name)) return true
      const read = this.positions.get(stepKey(step))
      if (read === undefined) return false
      if (step.phase === 'running') return read.bytes >= step.outputBytes
      return read.end && read.bytes === step.outputBytes
    })
  }
}
