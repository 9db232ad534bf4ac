import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmbeddedOptions } from '../options.ts'
import { readIfPresent, writeWhole } from '../process/file.ts'
import { choosePort } from '../process/port.ts'
import { runsWith } from '../process/process-table.ts'
import { whenReady } from '../process/readiness.ts'
import {
  foreignProcess,
  lastLines,
  type ServerProcess,
  startServerProcess,
  stopServerProcess,
} from '../process/server-process.ts'
import { checkReachable, giveTo, type ServiceUser, serviceUser } from '../process/service-user.ts'
import {
  accountsFolder,
  configurationFile,
  type NatsCluster,
  natsConfiguration,
  pidFile,
  runFolder,
  storeFolder,
} from './configuration.ts'
import { checkGreeting } from './greeting.ts'
import {
  accountSeedFile,
  controlPlaneCredentialsFile,
  ensureOperator,
  observerSeedFile,
  signingSeedFile,
  systemCredentialsFile,
} from './operator.ts'
import { findNatsServer } from './program.ts'

const readyMilliseconds = 60_000
const startAttempts = 5

export interface NatsServerOptions extends EmbeddedOptions {
  /** Whether clients must show credentials; with it the folder gets an operator and an account of its own. */
  authorization: boolean
  /** Path of the NATS server's program, instead of looking for one. */
  natsServer?: string
  /** The cluster it is part of; its servers need the same `operator.json` in their folders. */
  cluster?: NatsCluster
}

export interface EmbeddedNats {
  url: string
  port: number
  pid: number
  /** With authorization: what `HEARTH_NATS_CREDENTIALS_FILE` names. */
  controlPlaneCredentialsFile?: string
  /** With authorization: what `HEARTH_NATS_ACCOUNT_SEED_FILE` names. */
  accountSeedFile?: string
  /** With authorization: what `HEARTH_NATS_OBSERVER_SEED_FILE` names. */
  observerSeedFile?: string
  /** With authorization: what `HEARTH_NATS_SIGNING_SEED_FILE` names. */
  signingSeedFile?: string
  /** With authorization: what `HEARTH_NATS_SYSTEM_CREDENTIALS_FILE` names. */
  systemCredentialsFile?: string
  /** Resolves when the server has ended. Safe to repeat. */
  stop(): Promise<void>
}

/**
 * Starts a NATS server with JetStream on a folder, or takes over the one that a killed parent left running there.
 * Resolves when it serves. Throws `unavailable` with a message that says what to do.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<EmbeddedNats> {
  const { folder, programs, log, natsServer } = options
  const user = await serviceUser()
  await ensureFolders(folder, user)
  const operator = options.authorization ? await ensureOperator(folder) : undefined
  const configure = (port: number) => natsConfiguration({ folder, port, operator, cluster: options.cluster })
  const program = await findNatsServer({
    programs,
    log,
    ...(natsServer === undefined ? {} : { given: natsServer }),
  })
  const { server, port } =
    (await adopt(options, configure)) ?? (await start(options, { program, user, configure }))
  let stopping: Promise<void> | undefined
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    pid: server.pid,
    ...(operator === undefined
      ? {}
      : {
          controlPlaneCredentialsFile: controlPlaneCredentialsFile(folder),
          accountSeedFile: accountSeedFile(folder),
          observerSeedFile: observerSeedFile(folder),
          signingSeedFile: signingSeedFile(folder),
          systemCredentialsFile: systemCredentialsFile(folder),
        }),
    stop: () => {
      stopping ??= stop(server)
      return stopping
    },
  }
}

interface Running {
  server: ServerProcess
  port: number
}

async function ensureFolders(folder: string, user: ServiceUser): Promise<void> {
  await mkdir(folder, { recursive: true })
  // Others may pass through to what is theirs, and see nothing else.
  await chmod(folder, 0o711)
  await checkReachable(user, folder)
  for (const own of [storeFolder(folder), runFolder(folder), accountsFolder(folder)]) {
    await mkdir(own, { recursive: true, mode: 0o700 })
    await giveTo(user, own)
  }
}

async function adopt(
  options: NatsServerOptions,
  configure: (port: number) => string,
): Promise<Running | undefined> {
  const { folder, log } = options
  const pid = Number(await readIfPresent(pidFile(folder)))
  if (!(pid > 0) || !(await runsWith(pid, configurationFile(folder)))) return undefined
  const server = foreignProcess(pid)
  const port = options.port ?? Number(await readIfPresent(join(folder, 'port')))
  if ((await readIfPresent(configurationFile(folder))) !== configure(port)) {
    log(
      `stopping the NATS server that was left with process id ${pid}: its settings are not the ones asked for`,
    )
    await stop(server)
    return undefined
  }
  log(`taking over the NATS server that runs with process id ${pid}`)
  await ready(folder, server, port)
  return { server, port }
}

interface StartDetails {
  program: string
  user: ServiceUser
  configure(port: number): string
}

async function start(options: NatsServerOptions, details: StartDetails): Promise<Running> {
  const { folder, log } = options
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(folder, 'NATS', options.port)
    await writeWhole(configurationFile(folder), details.configure(port), 0o644)
    const server = await startServerProcess({
      program: details.program,
      arguments: ['-c', configurationFile(folder)],
      logFile: logFileOf(folder),
      user: details.user,
    })
    try {
      await ready(folder, server, port)
      log(`NATS listens on 127.0.0.1:${port} (process id ${server.pid})`)
      return { server, port }
    } catch (thrown) {
      if (!server.hasExited()) await stop(server)
      const portWasTaken = (await lastLines(logFileOf(folder), 5)).includes('address already in use')
      if (!portWasTaken || attempt === startAttempts) throw thrown
      log('the port was taken in the meantime; trying again')
    }
  }
}

function ready(folder: string, server: ServerProcess, port: number): Promise<void> {
  return whenReady({
    name: 'NATS',
    server,
    logFile: logFileOf(folder),
    timeoutMilliseconds: readyMilliseconds,
    check: () => checkGreeting(port),
  })
}

async function stop(server: ServerProcess): Promise<void> {
  await stopServerProcess(server, [
    { signal: 'SIGINT', waitMilliseconds: 30_000 },
    { signal: 'SIGKILL', waitMilliseconds: 10_000 },
  ])
}

const logFileOf = (folder: string) => join(folder, 'server.log')
