import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '@hearth/testing'
import { bundle } from '../hardware/programs.ts'
import type { Installation } from './installation.ts'

export interface AgentProcess extends AsyncDisposable {
  runnerId: string
  stateFolder: string
  /** Stops it where it is, until it is killed. */
  freeze(): void
  /** Ends it as a crash would; its machines and layers stay. */
  kill(): Promise<void>
  /** Starts it again; resolves when it is heard. */
  start(): Promise<void>
}

/** The shipped agent with the synthetic host as a process of its own. */
export async function startAgentProcess(
  installation: Pick<Installation, 'client' | 'folder' | 'url'>,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<AgentProcess> {
  const { client, folder, url } = installation
  const { runner, token } = await client.runners.create({ name, labels: {}, spec: {} })
  const runnerId = runner.metadata.id
  const stateFolder = join(folder, name)
  mkdirSync(stateFolder)
  writeFileSync(join(stateFolder, 'runner.json'), JSON.stringify({ url, runnerId, token }), { mode: 0o600 })
  let child: ChildProcess | null = null
  const start = async () => {
    const heard = (await client.runners.get(runnerId)).status.lastSeenAt
    child = spawn(process.execPath, [await bundle('runner-agent')], {
      env: {
        PATH: process.env.PATH,
        HEARTH_AGENT_STATE: stateFolder,
        HEARTH_AGENT_HOST: 'synthetic',
        HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '1',
        HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
        HEARTH_SYNTHETIC_STEP_MILLISECONDS: '2',
        HEARTH_LOG_LEVEL: 'fatal',
        ...settings,
      },
      stdio: 'ignore',
    })
    await eventually(
      async () => {
        const { status } = await client.runners.get(runnerId)
        return status.phase === 'active' && status.lastSeenAt !== heard ? true : null
      },
      { timeoutMilliseconds: 90_000 },
    )
  }
  const kill = async () => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  await start()
  const freeze = () => void child?.kill('SIGSTOP')
  return { runnerId, stateFolder, start, kill, freeze, [Symbol.asyncDispose]: kill }
}
