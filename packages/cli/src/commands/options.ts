import { type HearthError, invalidValue } from '@hearth/foundation'
import { InvalidArgumentError } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import type { View } from '../kinds/kind.ts'

export function viewOf(invocation: Invocation): View {
  return {
    client: client(invocation),
    terminal: invocation.terminal,
    now: invocation.clock.now(),
    signal: invocation.signal,
  }
}

/** `-l key=value`, repeated. */
export function addLabel(text: string, labels: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('a label is KEY=VALUE.')
  return { ...labels, [text.slice(0, at)]: text.slice(at + 1) }
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed.`)
  }
}

/** Argument of commands for one pool. */
export const poolArgument = 'its name or id, or its project where that has one pool'

/** Argument of commands for one machine. */
export const machineArgument = 'name or id'

/** Examples below the help of a command. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

/** Rejects a value and names where it was given. */
export function badInput(field: string, given: string, expected: string): HearthError {
  return invalidValue({ field, given, expected })
}

/** A share of claims, in percent. */
export function percentage(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number >= 50 && number <= 99.99) return number
  throw new InvalidArgumentError('a number from 50 to 99.99 is needed.')
}

export function positiveNumber(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number > 0) return number
  throw new InvalidArgumentError('a number above 0 is needed.')
}
