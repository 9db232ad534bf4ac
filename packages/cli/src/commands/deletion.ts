import type { Command } from 'commander'
import type { Kind, Removal, View } from '../kinds/kind.ts'
import { badInput, wholeNumber } from './options.ts'
import { waitUntil } from './waiting.ts'

export interface DeletionOptions {
  force?: boolean
  wait?: boolean
  timeout: number
}

/** Adds the options of a command that deletes; `force` says what it does there. */
export function withDeletionOptions(command: Command, force: string): Command {
  return command
    .option('--force', force)
    .option('--wait', 'return when nothing is left of it')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumber(1, 86_400), 600)
}

/** Deletes one resource, waits where that is asked for, and says so. */
export async function deleteOne(
  kind: Kind,
  view: View,
  reference: string,
  options: DeletionOptions,
): Promise<Removal> {
  const [word] = kind.names
  if (kind.remove === undefined) throw badInput('KIND', word, 'a kind that can be deleted')
  const { terminal, signal } = view
  const removal = await kind.remove(view, reference, { force: options.force === true })
  const { name, gone } = removal
  if (options.wait === true) {
    const hint = kind.isExplained ? ` (hearth why ${name} says what it waits for)` : ''
    await waitUntil(`${word} ${name} to be gone${hint}`, () => gone(signal), {
      seconds: options.timeout,
      signal,
    })
  }
  terminal.out(`${word} ${name} ${options.wait === true ? 'deleted' : 'is being deleted'}`)
  return removal
}
