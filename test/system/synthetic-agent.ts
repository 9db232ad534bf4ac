import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runner } from '@hearth/contract'
import {
  type AgentEnd,
  type AgentParts,
  compose,
  createLogger,
  readConfig,
  runAgent,
} from '@hearth/runner-agent'
import type { CuttableRelay } from './cuttable-relay.ts'
import type { Installation } from './installation.ts'

type Machines = AgentParts['host']['machines']

export interface SyntheticAgent extends AsyncDisposable {
  runner: Runner
  stateFolder: string
  /** Stops it gracefully; the machines stay. */
  stop(): Promise<AgentEnd>
  /** How it ended by itself. */
  ended: Promise<AgentEnd>
  /** Ends a machine as a crash of its hypervisor would. */
  crash(environmentId: string): void
}

export interface SyntheticSettings {
  name: string
  /** If absent, a runner is created; otherwise this agent has the identity of another. */
  identityOf?: SyntheticAgent
  labels?: Readonly<Record<string, string>>
  environment?: Readonly<Record<string, string>>
  /** Address of its link to NATS. */
  through?: CuttableRelay
  timings?: Partial<AgentParts['timings']>
  clock?: AgentParts['clock']
  /** Kinds of work that the shipped agent does not have. */
  otherWork?: AgentParts['work']
  /** Kinds of work that the agent does not know, as one from before them. */
  withoutWork?: readonly string[]
  log?: AgentParts['log']
}

/** The shipped agent with the shipped synthetic host, in this process, against a real control plane. */
export async function startSyntheticAgent(
  installation: Pick<Installation, 'client' | 'folder' | 'url'>,
  settings: SyntheticSettings,
): Promise<SyntheticAgent> {
  const { client, folder, url } = installation
  const stateFolder = settings.identityOf?.stateFolder ?? join(folder, settings.name)
  let runner = settings.identityOf?.runner
  if (runner === undefined) {
    const created = await client.runners.create({
      name: settings.name,
      labels: settings.labels ?? {},
      spec: {},
    })
    runner = created.runner
    mkdirSync(stateFolder, { recursive: true })
    const identity = { url, runnerId: runner.metadata.id, token: created.token }
    writeFileSync(join(stateFolder, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
  }
  const config = readConfig({
    HEARTH_AGENT_STATE: stateFolder,
    HEARTH_AGENT_HOST: 'synthetic',
    HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '1',
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
    HEARTH_SYNTHETIC_STEP_MILLISECONDS: '2',
    HEARTH_LOG_LEVEL: process.env.HEARTH_TEST_LOG ?? 'fatal',
    ...settings.environment,
  })
  const isKnown = ({ messages }: AgentParts['work'][number]) =>
    settings.withoutWork?.includes(messages.kind) !== true
  const stopping = new AbortController()
  const parts = await compose(config, settings.log ?? createLogger(config))
  const { through } = settings
  const watchers = new Set<(environmentId: string) => void>()
  const ended = runAgent(
    {
      ...parts,
      host: { ...parts.host, machines: alsoWatched(parts.host.machines, watchers) },
      timings: { ...parts.timings, ...settings.timings },
      clock: settings.clock ?? parts.clock,
      work: [...parts.work.filter(isKnown), ...(settings.otherWork ?? [])],
      connect: (options) =>
        parts.connect(
          through === undefined ? options : { ...options, servers: [`nats://127.0.0.1:${through.port}`] },
        ),
    },
    stopping.signal,
  )
  const stop = () => {
    stopping.abort()
    return ended
  }
  return {
    runner,
    stateFolder,
    ended,
    stop,
    crash(environmentId) {
      const path = join(stateFolder, 'environments', environmentId, 'machine.json')
      const machine = JSON.parse(readFileSync(path, 'utf8'))
      const crashed = { ...machine, power: 'crashed', endReason: 'hypervisor_gone', pauseReason: null }
      writeFileSync(`${path}.crashed`, JSON.stringify(crashed))
      renameSync(`${path}.crashed`, path)
      for (const changed of watchers) changed(environmentId)
    },
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}

/** The same machines, whose watchers are told of what a test does to one, too. */
function alsoWatched(machines: Machines, watchers: Set<(environmentId: string) => void>): Machines {
  return Object.assign(Object.create(machines), {
    watch(changed: (environmentId: string) => void, signal: AbortSignal) {
      watchers.add(changed)
      return machines.watch(changed, signal).finally(() => watchers.delete(changed))
    },
  })
}
