import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { backoff, HearthError } from '@hearth/foundation'
import type { EmbeddedOptions } from '../options.ts'
import { choosePort } from '../process/port.ts'
import { whenReady } from '../process/readiness.ts'
import {
  foreignProcess,
  lastLines,
  type ServerProcess,
  startServerProcess,
  stopServerProcess,
} from '../process/server-process.ts'
import { type ServiceUser, serviceUser } from '../process/service-user.ts'
import { ensureCluster } from './cluster.ts'
import { checkAnswers, databaseUrl, ensureDatabase } from './database.ts'
import { findLiveServer } from './live-server.ts'
import { installPostgres } from './programs.ts'
import { postgresArguments } from './settings.ts'

const database = 'hearth'
/** Recovery after a crash replays at most `max_wal_size`, which takes far less. */
const readyMilliseconds = 120_000
const startAttempts = 10

export interface PostgresOptions extends EmbeddedOptions {
  /** False for tests: faster, and nothing survives a crash of the machine. True by default. */
  durable?: boolean
}

export interface EmbeddedPostgres {
  /** Of the database `hearth`, with the password in it. */
  url: string
  port: number
  pid: number
  /** Ends every session, writes everything out and resolves when the server has ended. Safe to repeat. */
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL on a folder, or takes over the one that a killed parent left running there. Resolves when it
 * answers queries. Throws `unavailable` with a message that says what to do.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, log } = options
  const durable = options.durable ?? true
  const user = await serviceUser()
  const programs = await installPostgres(options.programs, log)
  const password = await ensureCluster({ folder, programs, user, durable, log })
  const { server, port } =
    (await adopt(options, password)) ?? (await start(options, { programs, user, durable, password }))
  await ensureDatabase({ port, password }, database)
  let stopping: Promise<void> | undefined
  return {
    url: databaseUrl({ port, password }, database),
    port,
    pid: server.pid,
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

async function adopt(options: PostgresOptions, password: string): Promise<Running | undefined> {
  const live = await findLiveServer(options.folder)
  if (live === undefined) return undefined
  const server = foreignProcess(live.pid)
  if (options.port !== undefined && options.port !== live.port) {
    options.log(
      `stopping the PostgreSQL that was left on port ${live.port}: port ${options.port} is asked for`,
    )
    await stop(server)
    return undefined
  }
  options.log(`taking over the PostgreSQL that runs with process id ${live.pid}`)
  await ready(options.folder, server, { port: live.port, password })
  return { server, port: live.port }
}

interface StartDetails {
  programs: string
  user: ServiceUser
  durable: boolean
  password: string
}

async function start(options: PostgresOptions, details: StartDetails): Promise<Running> {
  const logFile = logFileOf(options.folder)
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(options.folder, 'PostgreSQL', options.port)
    const server = await startServerProcess({
      program: join(details.programs, 'postgres'),
      arguments: postgresArguments({ folder: options.folder, port, durable: details.durable }),
      logFile,
      user: details.user,
    })
    try {
      await ready(options.folder, server, { port, password: details.password })
      options.log(`PostgreSQL listens on 127.0.0.1:${port} (process id ${server.pid})`)
      return { server, port }
    } catch (thrown) {
      const mayPass = server.hasExited() && isPassing(await lastLines(logFile, 5))
      if (!server.hasExited()) await stop(server)
      if (!mayPass || attempt === startAttempts) throw thrown
      options.log('PostgreSQL could not start yet; trying again')
      await delay(backoff(attempt, { first: 50, most: 2_000 }))
    }
  }
}

/** Sessions of a server that was killed end a moment after it; a port that was free a moment ago may be taken. */
function isPassing(lines: string): boolean {
  return lines.includes('shared memory block') || lines.includes('Address already in use')
}

function ready(
  folder: string,
  server: ServerProcess,
  access: { port: number; password: string },
): Promise<void> {
  return whenReady({
    name: 'PostgreSQL',
    server,
    logFile: logFileOf(folder),
    timeoutMilliseconds: readyMilliseconds,
    check: () => checkAnswers(access).catch(refuseWrongPassword(folder)),
  })
}

function refuseWrongPassword(folder: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === '28P01')) throw thrown
    throw new HearthError(
      'forbidden',
      `PostgreSQL refuses the password in ${join(folder, 'password')}: bring back the file the data was made with`,
      { cause: thrown },
    )
  }
}

async function stop(server: ServerProcess): Promise<void> {
  await stopServerProcess(server, [
    { signal: 'SIGINT', waitMilliseconds: 60_000 },
    { signal: 'SIGQUIT', waitMilliseconds: 10_000 },
  ])
}

const logFileOf = (folder: string) => join(folder, 'server.log')
