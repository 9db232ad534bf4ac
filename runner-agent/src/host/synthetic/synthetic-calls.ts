import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { processPaths } from '../../guest/bash/process-paths.ts'
import { ScriptedCalls } from '../../guest/bash/scripted-calls.ts'
import type { GuestCalls } from '../../guest/call.ts'
import { environmentFilePath } from '../../guest/environment-file.ts'
import { guestFileName } from './guest-files.ts'
import { runLocally } from './local-shell.ts'

/**
 * The calls of a synthetic guest. What the agent of a real one runs there runs here on the host itself, with the machine's
 * own `/home`: only where the host's settings allow it.
 */
export function syntheticCalls(machineFolder: string, isAllowed: boolean): GuestCalls {
  if (!isAllowed) return { exec: refuse, readFile: refuse, writeFile: refuse }
  const state = join(machineFolder, 'run')
  return new ScriptedCalls(runLocally(join(machineFolder, 'home')), {
    ...processPaths,
    state,
    controlGroups: join(state, 'no-control-groups'),
    environmentFile: join(machineFolder, guestFileName(environmentFilePath)),
  })
}

async function refuse(): Promise<never> {
  throw new HearthError(
    'conflict',
    'a synthetic machine runs no commands and has no files: HEARTH_SYNTHETIC_COMMANDS=run has its host do both, as the user of its agent',
  )
}
