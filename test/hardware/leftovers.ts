import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { attempt } from './command.ts'
import { domainsOf, removeDomainsOf } from './domains.ts'
import { commandLine, processesWith } from './processes.ts'

/** The folder of a run, named after its process. */
export const runName = (pid: number, name: string) => `${pid}-${name}`

/** Removes the agents, machines and folders of runs whose process was killed before it could. */
export async function removeLeftovers(runsFolder: string): Promise<void> {
  for (const name of readdirSync(runsFolder)) {
    const pid = Number(name.split('-')[0])
    if (commandLine(pid).includes('node')) continue
    await removeRun(join(runsFolder, name))
  }
}

/** Ends everything that a run made; `owners` are runners that no agent's folder names. */
export async function removeRun(folder: string, owners: readonly string[] = []): Promise<void> {
  for (const pid of agentsOf(folder)) process.kill(pid, 'SIGKILL')
  const runnerIds = [...runnersOf(folder), ...owners]
  if ((await domainsOf(runnerIds)).length > 0) await removeDomainsOf(runnerIds)
  for (const id of runnerIds) await attempt(['sh', '-c', 'nft delete table inet "hearth-$1"', 'sh', id])
  rmSync(folder, { recursive: true, force: true })
}

/** Ids of the runners whose agents keep their state in this folder. */
function runnersOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name, 'runner.json')
    if (!existsSync(path)) return []
    const { runnerId } = JSON.parse(readFileSync(path, 'utf8')) as { runnerId: string }
    return [runnerId]
  })
}

function agentsOf(folder: string): number[] {
  return processesWith('runner-agent/dist/').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HEARTH_AGENT_STATE=${folder}/`)
    } catch {
      return false
    }
  })
}
