import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runnerIdentitySchema } from '../dev/join-runner.ts'

export interface RunnersHere {
  /** Folders in which agents keep their machines' folders. */
  folders: string[]
  /** Ids of the agents' runners. */
  owners: string[]
}

/** The agents whose state is in a state folder, and the agent that the environment variables describe. */
export function runnersBelow(
  stateFolder: string,
  variables: Readonly<Record<string, string | undefined>>,
): RunnersHere {
  const own = variables.HEARTH_AGENT_STATE
  const states = [...agentFolders(stateFolder), ...(own === undefined ? [] : [own])]
  const host = variables.HEARTH_HOST_STATE
  return {
    folders: [...new Set(host === undefined ? states : [...states, host])],
    owners: states.flatMap(runnerOf),
  }
}

function agentFolders(stateFolder: string): string[] {
  try {
    return readdirSync(stateFolder)
      .filter((name) => name.startsWith('agent'))
      .map((name) => join(stateFolder, name))
  } catch {
    return []
  }
}

function runnerOf(folder: string): string[] {
  try {
    return [
      runnerIdentitySchema.parse(JSON.parse(readFileSync(join(folder, 'runner.json'), 'utf8'))).runnerId,
    ]
  } catch {
    return []
  }
}
