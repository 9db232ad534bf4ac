import { endOfText, type StepStatus, startOfText } from '@hearth/contract'

/** The most bytes that lists and events show of what one step printed, and of why it failed. */
const mostTextBytes = 1024
/** The same limit for all steps of an environment together. */
const mostTextBytesTogether = 16 * 1024

/**
 * The steps for lists and events, which repeat them often: only the end of the output, given to the latest steps first
 * until the limit is reached. `outputBytes` still says how much there is.
 */
export function listedSteps(steps: readonly StepStatus[]): StepStatus[] {
  let left = mostTextBytesTogether
  const cut = (text: string, shorten: (text: string, mostBytes: number) => string) => {
    const shown = shorten(text, Math.min(mostTextBytes, left))
    left -= Buffer.byteLength(shown)
    return shown
  }
  return steps
    .toReversed()
    .map((step) => ({
      ...step,
      error: step.error === null ? null : cut(step.error, startOfText),
      output: cut(step.output, endOfText),
    }))
    .toReversed()
}
