import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import type { Runner } from '@hearth/contract'
import { startNatsServer, startPostgres } from '@hearth/embedded'
import { HearthError, toError } from '@hearth/foundation'
import { writeContextFile } from '../context/context-file.ts'
import { installation } from '../installation.ts'
import { freePort, portIsFree } from '../process/port.ts'
import { childVariables } from './child-variables.ts'
import { joinRunner } from './join-runner.ts'
import { KeptService } from './kept-service.ts'
import { ensureLibvirt, libvirtDaemons, libvirtUri } from './libvirt.ts'
import { ProcessRecord } from './process-record.ts'
import { untilReady } from './readiness.ts'
import { routeVariables } from './route-variables.ts'
import { agentFolder, bootstrapToken, prepareState, type StatePaths } from './state-folder.ts'
import { lockState } from './state-lock.ts'
import { SupervisedProcess } from './supervised-process.ts'
import { UndoList } from './undo-list.ts'
import { untilActive } from './until-active.ts'

export interface LocalStackOptions {
  stateFolder: string
  port: number
  runners: number
  synthetic: boolean
  isRoot: boolean
  variables: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
  /**
   * Ports of the host that guests may reach, in the form of the agent's HEARTH_GUEST_ALLOW, in addition to the user's
   * own.
   */
  openedPorts?: string | undefined
  /** Called with progress messages. */
  note(text: string): void
  /** Runs once the control plane is ready and before the first agent starts. */
  beforeAgents?: (() => Promise<void>) | undefined
}

export interface Part {
  name: string
  where: string
  pid: number | undefined
  log: string
}

export interface LocalStack {
  client: HearthClient
  runners: readonly Runner[]
  parts(): Part[]
  /** Stops the agents; their machines keep running. */
  stopAgents(): Promise<void>
  /** Stops everything that was started here, in reverse order. */
  stop(): Promise<void>
}

/**
 * Starts everything on this host: PostgreSQL, NATS, the control plane and agents. Undoes everything when a part
 * fails.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const undo = new UndoList()
  const stop = () => undo.run((name, error) => options.note(`stopping ${name}: ${toError(error).message}`))
  try {
    return await start(options, undo, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: LocalStackOptions,
  undo: UndoList,
  stop: () => Promise<void>,
): Promise<LocalStack> {
  const { stateFolder, signal, note } = options
  requirePrograms()
  const paths = prepareState(stateFolder)
  undo.add('the lock', lockState(stateFolder))
  const record = new ProcessRecord(stateFolder)
  const ended = await record.endLeftovers(libvirtDaemons)
  if (ended.length > 0) note(`ended what an earlier run had left: ${ended.join(', ')}`)
  if (!options.synthetic) await startLibvirt(options, paths, record, undo)
  signal.throwIfAborted()

  const { postgres, nats } = await startServers(paths, undo, note)
  signal.throwIfAborted()

  const listener = { started: record.add.bind(record), note }
  const { process: controlPlane, client } = await startControlPlane(options, paths, {
    postgres,
    nats,
    listener,
    undo,
    record,
  })
  await options.beforeAgents?.()
  signal.throwIfAborted()
  const agents = await startAgents(options, paths, { client, listener, undo, record })
  const runners = await Promise.all(
    agents.map(({ process, runnerId }) =>
      untilActive(client, runnerId, { signal, seconds: 180, logFile: process.logFile }),
    ),
  )
  return {
    client,
    runners,
    parts: () => [
      {
        name: 'PostgreSQL',
        where: `127.0.0.1:${postgres.current.port}`,
        pid: postgres.current.pid,
        log: paths.postgres,
      },
      {
        name: 'nats-server',
        where: `127.0.0.1:${nats.current.port}`,
        pid: nats.current.pid,
        log: paths.nats,
      },
      { name: 'control plane', where: client.url, pid: controlPlane.pid, log: controlPlane.logFile },
      ...agents.map(({ process, folder }) => ({
        name: process.name,
        where: folder,
        pid: process.pid,
        log: process.logFile,
      })),
    ],
    stopAgents: async () => void (await Promise.all(agents.map(({ process }) => process.stop()))),
    stop,
  }
}

async function startServers(paths: StatePaths, undo: UndoList, note: (text: string) => void) {
  const log = () => undefined
  const { programs } = paths
  const starting = [
    KeptService.start('PostgreSQL', () => startPostgres({ folder: paths.postgres, programs, log }), note),
    KeptService.start(
      'nats-server',
      () => startNatsServer({ folder: paths.nats, programs, log, authorization: true }),
      note,
    ),
  ] as const
  // Waits for both even if one fails: only then is it known what has to be stopped.
  const [postgres, nats] = await Promise.allSettled(starting)
  if (postgres.status === 'fulfilled') undo.add('PostgreSQL', () => postgres.value.stop())
  if (nats.status === 'fulfilled') undo.add('nats-server', () => nats.value.stop())
  if (postgres.status === 'rejected') throw postgres.reason
  if (nats.status === 'rejected') throw nats.reason
  return { postgres: postgres.value, nats: nats.value }
}

function requirePrograms(): void {
  for (const program of [installation.controlPlane, installation.agent]) {
    if (existsSync(program)) continue
    throw new HearthError(
      'unavailable',
      `${program} is missing: build it with \`node scripts/build.mjs\` in ${installation.root}`,
    )
  }
}

async function startLibvirt(
  { variables, isRoot, note }: LocalStackOptions,
  paths: StatePaths,
  record: ProcessRecord,
  undo: UndoList,
): Promise<void> {
  const uri = libvirtUri(variables, isRoot)
  const stopDaemons = await ensureLibvirt({ uri, isRoot, variables, logs: paths.logs, record, note })
  if (stopDaemons !== null) undo.add('libvirt', stopDaemons)
}

interface Parts {
  listener: ConstructorParameters<typeof SupervisedProcess>[1]
  undo: UndoList
  record: ProcessRecord
}

async function startControlPlane(
  { port, variables, signal }: LocalStackOptions,
  paths: StatePaths,
  {
    postgres,
    nats,
    listener,
    undo,
    record,
  }: Parts & {
    postgres: KeptService<Awaited<ReturnType<typeof startPostgres>>>
    nats: KeptService<Awaited<ReturnType<typeof startNatsServer>>>
  },
): Promise<{ process: SupervisedProcess; client: HearthClient }> {
  if (!(await portIsFree(port))) {
    throw new HearthError(
      'conflict',
      `port ${port} of 127.0.0.1 is taken (\`ss -ltnp\` shows by whom): choose another with --port`,
    )
  }
  const securePort = await freePort(port === 65_535 ? port - 1 : port + 1)
  const { file, secret } = bootstrapToken(paths)
  const process_ = new SupervisedProcess(
    {
      name: 'control plane',
      program: process.execPath,
      arguments: [installation.controlPlane],
      logFile: join(paths.logs, 'control-plane.log'),
      variables: childVariables(variables, {
        HEARTH_DATABASE_URL: postgres.current.url,
        HEARTH_NATS_URL: nats.current.url,
        HEARTH_NATS_CREDENTIALS_FILE: nats.current.controlPlaneCredentialsFile,
        HEARTH_NATS_ACCOUNT_SEED_FILE: nats.current.accountSeedFile,
        HEARTH_NATS_OBSERVER_SEED_FILE: nats.current.observerSeedFile,
        HEARTH_NATS_SIGNING_SEED_FILE: nats.current.signingSeedFile,
        HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: nats.current.systemCredentialsFile,
        HEARTH_LISTEN: `127.0.0.1:${port}`,
        HEARTH_TLS_LISTEN: `127.0.0.1:${securePort}`,
        HEARTH_DRAIN_SECONDS: '0',
        HEARTH_ENCRYPTION_KEY_FILE: join(paths.controlPlane, 'encryption.key'),
        HEARTH_BOOTSTRAP_TOKEN_FILE: file,
      }),
    },
    listener,
  )
  undo.add('the control plane', async () => {
    await process_.stop()
    record.remove(process_.name)
  })
  process_.start()
  const url = `http://127.0.0.1:${port}`
  await untilReady(url, process_, signal)
  writeContextFile(paths.context, { url, token: secret })
  return { process: process_, client: new HearthClient({ url, token: secret }) }
}

async function startAgents(
  options: LocalStackOptions,
  paths: StatePaths,
  { client, listener, undo, record }: Parts & { client: HearthClient },
): Promise<{ process: SupervisedProcess; runnerId: string; folder: string }[]> {
  const { signal, synthetic, stateFolder } = options
  const agents: { process: SupervisedProcess; runnerId: string; folder: string }[] = []
  for (let index = 0; index < options.runners; index += 1) {
    const folder = agentFolder(stateFolder, index, synthetic)
    const number = index === 0 ? '' : `-${index + 1}`
    const name = `${synthetic ? 'synthetic' : 'local'}${number}`
    const runnerId = await joinRunner(client, { name, region: 'default', labels: {} }, { folder, signal })
    const agent = new SupervisedProcess(
      {
        name: `agent ${name}`,
        program: process.execPath,
        arguments: [installation.agent],
        logFile: join(paths.logs, `agent-${name}.log`),
        finalExits: { 3: 'another agent has taken this runner over' },
        variables: childVariables(options.variables, {
          HEARTH_AGENT_STATE: folder,
          HEARTH_AGENT_HOST: synthetic ? 'synthetic' : 'libvirt',
          HEARTH_IMAGES: paths.images,
          HEARTH_GUEST_ALLOW: openedPorts(options),
          ...(await routeVariables(options, index)),
        }),
      },
      listener,
    )
    undo.add(agent.name, async () => {
      await agent.stop()
      record.remove(agent.name)
    })
    agent.start()
    agents.push({ process: agent, runnerId, folder })
  }
  return agents
}

function openedPorts({ openedPorts: own, variables }: LocalStackOptions): string | undefined {
  const all = [variables.HEARTH_GUEST_ALLOW, own].filter((ports) => ports !== undefined && ports !== '')
  return all.length === 0 ? undefined : all.join(',')
}
