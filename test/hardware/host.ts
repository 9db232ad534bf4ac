import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { EnvironmentClass, Runner } from '@hearth/contract'
import { until } from '../system/following.ts'
import { type Installation, startInstallation } from '../system/installation.ts'
import { AgentProcess } from './agent-process.ts'
import { runsFolder } from './cache.ts'
import { removeLeftovers, removeRun, runName } from './leftovers.ts'

const activeMilliseconds = 60_000
const guestMemoryMebibytes = 512

/** A control plane with this machine as its host; everything made for it is removed with it. */
export interface HardwareHost extends AsyncDisposable {
  client: HearthClient
  installation: Installation
  /** A folder that QEMU's own user can enter. */
  folder: string
  /** Images offered by agents started here; put in before they start. */
  imagesFolder: string
  startAgent(name: string, settings?: Readonly<Record<string, string>>): Promise<HardwareAgent>
  /** Makes a runner and the state folder of its agent, which is not started. */
  joinRunner(name: string, settings?: Readonly<Record<string, string>>): Promise<JoinedRunner>
  /** Starts the shipped agent of a runner. */
  startJoined(joined: JoinedRunner): Promise<HardwareAgent>
}

export interface JoinedRunner {
  runner: Runner
  stateFolder: string
  /** All settings of its agent. */
  environment: Readonly<Record<string, string>>
}

export interface HardwareAgent {
  runner: Runner
  process: AgentProcess
  stateFolder: string
  /** The folder with one folder for each machine. */
  environmentsFolder: string
}

export async function startHost(): Promise<HardwareHost> {
  const folder = await newRunFolder()
  const imagesFolder = join(folder, 'images')
  const installation = await startInstallation()
  const { client, url } = installation
  const agents: HardwareAgent[] = []

  const joinRunner: HardwareHost['joinRunner'] = async (name, settings = {}) => {
    const { runner, token } = await client.runners.create({ name, labels: {}, spec: {} })
    const stateFolder = join(folder, name)
    await mkdir(stateFolder, { mode: 0o755 })
    const identity = { url, runnerId: runner.metadata.id, token }
    await writeFile(join(stateFolder, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
    const environment = {
      HEARTH_AGENT_STATE: stateFolder,
      HEARTH_IMAGES: imagesFolder,
      // Emulation runs on every machine, and the same everywhere.
      HEARTH_VIRTUALIZATION: 'qemu',
      ...settings,
    }
    return { runner, stateFolder, environment }
  }
  const startJoined: HardwareHost['startJoined'] = async ({ runner, stateFolder, environment }) => {
    const { name } = runner.metadata
    const { status } = await client.runners.get(name)
    const agent: HardwareAgent = {
      runner,
      process: new AgentProcess(environment, join(folder, `${name}.log`)),
      stateFolder,
      environmentsFolder: join(stateFolder, 'environments'),
    }
    agents.push(agent)
    await agent.process.start()
    await untilActive(client, name, status.epoch)
    return agent
  }
  return {
    client,
    installation,
    folder,
    imagesFolder,
    startAgent: async (name, settings) => startJoined(await joinRunner(name, settings)),
    joinRunner,
    startJoined,
    async [Symbol.asyncDispose]() {
      for (const agent of agents) await agent.process.stop()
      await removeRun(folder)
      await installation[Symbol.asyncDispose]()
    },
  }
}

/** Resolves when an agent has registered for the runner with a higher epoch than the given one. */
export function untilActive(client: HearthClient, name: string, epoch: number): Promise<Runner> {
  const active = ({ status }: Runner) => status.phase === 'active' && status.epoch > epoch
  return until(client, `runner ${name}`, () => client.runners.get(name), active, activeMilliseconds)
}

/** A class of small guests: emulated ones boot no slower with little memory. */
export function createGuestClass(
  client: HearthClient,
  name: string,
  image: string,
): Promise<EnvironmentClass> {
  const size = { virtualCpus: 2, memoryMebibytes: guestMemoryMebibytes, diskGibibytes: 3 }
  return client.environmentClasses.create({ name, labels: {}, spec: { ...size, image } })
}

/** A new folder for the files of one run; what earlier runs left behind is removed first. */
export async function newRunFolder(): Promise<string> {
  const runs = await runsFolder()
  await removeLeftovers(runs)
  const folder = await mkdtemp(join(runs, runName(process.pid, '')))
  await chmod(folder, 0o755)
  return folder
}
