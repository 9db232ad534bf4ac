import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FleetCommand, FleetNews } from './fleet-messages.ts'
import type { Service } from './service.ts'

/** Machines of the measured class that fit on one agent. */
export const machinesEach = 20
const processes = 4
const smallMebibytes = 2_048

export interface Fleet extends Disposable {
  pids: readonly number[]
  /** When each agent's last synchronisation was answered, in milliseconds since 1970. */
  lastSyncs(): number[]
  /** Makes the agents report ready machines at this total rate; resolves with the number of reports sent. */
  report(perSecond: number, seconds: number): Promise<number>
}

/** The shipped agents, many to a process; each holds a runner of its own. */
export async function startFleet(service: Service, agents: number): Promise<Fleet> {
  const folders: string[] = []
  for (let index = 0; index < agents; index += 1) folders.push(await makeRunner(service, `agent-${index}`))
  const synced = new Map(folders.map((folder) => [folder, 0]))
  const waiting = new Map<ChildProcess, (count: number) => void>()
  const children = Array.from({ length: processes }, (_, index) => {
    const log = openSync(join(service.folder, `agents-${index}.log`), 'a')
    const child = fork(join(import.meta.dirname, 'fleet-agents.ts'), {
      execArgv: ['--import', 'tsx'],
      env: {
        PATH: process.env.PATH,
        HEARTH_LOG_LEVEL: 'warn',
        HEARTH_CAPACITY_VIRTUAL_CPUS: String(machinesEach),
        HEARTH_CAPACITY_MEMORY_MEBIBYTES: String(machinesEach * smallMebibytes),
        HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '10',
        HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '50',
        HEARTH_SYNTHETIC_STEP_MILLISECONDS: '10',
      },
      stdio: ['ignore', log, log, 'ipc'],
    })
    child.on('message', (news: FleetNews) => {
      if (news.said === 'synced') synced.set(news.stateFolder, news.at)
      else waiting.get(child)?.(news.count)
    })
    return child
  })
  for (const [index, child] of children.entries()) {
    tell(child, { do: 'start', stateFolders: folders.filter((_, each) => each % processes === index) })
  }
  return {
    pids: children.flatMap(({ pid }) => pid ?? []),
    lastSyncs: () => [...synced.values()],
    async report(perSecond, seconds) {
      const counts = await Promise.all(
        children.map(
          (child) =>
            new Promise<number>((resolve) => {
              waiting.set(child, resolve)
              tell(child, { do: 'report', perSecond: perSecond / processes, seconds })
            }),
        ),
      )
      return counts.reduce((sum, count) => sum + count, 0)
    },
    [Symbol.dispose]() {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

async function makeRunner({ client, folder, url }: Service, name: string): Promise<string> {
  const { runner, token } = await client.runners.create({ name, labels: {}, spec: {} })
  const state = join(folder, name)
  mkdirSync(state, { recursive: true })
  writeFileSync(join(state, 'runner.json'), JSON.stringify({ url, runnerId: runner.metadata.id, token }), {
    mode: 0o600,
  })
  return state
}

function tell(child: ChildProcess, command: FleetCommand): void {
  child.send(command)
}
