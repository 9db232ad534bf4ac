import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
export function quickstartCommand(_invocation: Invocation): Command {
  return new Command('quickstart').summary('todo')
}
