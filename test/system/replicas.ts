import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { freePort } from '@hearth/embedded'
import { newId } from '@hearth/foundation'
import {
  createTestDatabase,
  eventually,
  startTestNatsCluster,
  type TestDatabase,
  type TestNatsCluster,
  temporaryFolder,
} from '@hearth/testing'
import { bundle } from '../hardware/programs.ts'

/** One shipped control plane as a process; it keeps its address across restarts. */
export interface ReplicaProcess {
  readonly url: string
  readonly pid: number
  /** Starts it; resolves when it is ready. */
  start(): Promise<void>
  /** Kills it as a crash would. */
  kill(): Promise<void>
  /** Tells it to end; resolves with its exit status. */
  terminate(): Promise<number | null>
  signal(signal: NodeJS.Signals): void
}

/** Several shipped control planes on one database and a NATS cluster of three, as a user would run them. */
export interface Replicas extends AsyncDisposable {
  replicas: readonly ReplicaProcess[]
  /** All addresses, as a client is configured with them. */
  url: string
  token: string
  client: HearthClient
  /** A client that starts with another replica than the previous client. */
  newClient(): HearthClient
  nats: TestNatsCluster
  database: TestDatabase
  folder: string
  logOf(index: number): string
  /** An additional one with other settings, not started yet; its log has the next number. */
  another(settings: Readonly<Record<string, string>>): Promise<ReplicaProcess>
}

export async function startReplicas(
  count: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<Replicas> {
  const folder = await temporaryFolder('replicas')
  const program = await bundle('control-plane')
  const [database, nats] = await Promise.all([createTestDatabase(), startTestNatsCluster()])
  const token = `hearth_${newId()}`
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 })
  const shared = {
    HEARTH_NATS_URL: nats.urls.join(','),
    HEARTH_NATS_REPLICAS: '3',
    HEARTH_NATS_CREDENTIALS_FILE: nats.controlPlaneCredentialsFile,
    HEARTH_NATS_ACCOUNT_SEED_FILE: nats.accountSeedFile,
    HEARTH_NATS_SIGNING_SEED_FILE: nats.signingSeedFile,
    HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: nats.systemCredentialsFile,
    HEARTH_ENCRYPTION_KEY_FILE: join(folder, 'encryption.key'),
    HEARTH_BOOTSTRAP_TOKEN_FILE: join(folder, 'token'),
    HEARTH_DRAIN_SECONDS: '0',
    ...settings,
  }
  const logOf = (index: number) => join(folder, `control-plane-${index}.log`)
  const replicas: ReplicaProcess[] = []
  const another = async (changes: Readonly<Record<string, string>> = {}) => {
    const index = replicas.length
    // The name distinguishes its connections from those of the others.
    const databaseUrl = `${database.url}?application_name=replica-${index}`
    const own = { ...shared, HEARTH_DATABASE_URL: databaseUrl, ...changes }
    const replica = replicaProcess(program, await freePort(), own, logOf(index))
    replicas.push(replica)
    return replica
  }
  while (replicas.length < count) await another()
  // All at once, on an empty database: one of them migrates it, and all start.
  await Promise.all(replicas.map((replica) => replica.start()))
  const urls = replicas.map(({ url }) => url)
  const url = urls.join(',')
  let clients = 0
  return {
    replicas,
    url,
    token,
    client: new HearthClient({ url, token }),
    newClient() {
      const first = clients++ % count
      return new HearthClient({ url: [...urls.slice(first), ...urls.slice(0, first)].join(','), token })
    },
    nats,
    database,
    folder,
    logOf,
    another,
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map((replica) => replica.kill()))
      await nats[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function replicaProcess(
  program: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  logFile: string,
): ReplicaProcess {
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined) return null
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    // A halted process handles signals other than SIGKILL only when it continues.
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    await exited
    return child.exitCode
  }
  return {
    url,
    get pid() {
      return child?.pid ?? 0
    },
    async start() {
      const started = spawn(process.execPath, [program], {
        env: {
          PATH: process.env.PATH,
          HEARTH_LOG_LEVEL: 'info',
          ...settings,
          HEARTH_LISTEN: `127.0.0.1:${port}`,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      const log = createWriteStream(logFile, { flags: 'a' })
      started.stdout.pipe(log, { end: false })
      started.stderr.pipe(log, { end: false })
      const ready = async () => {
        if (started.exitCode !== null) return { failed: `it ended with ${started.exitCode}: see ${logFile}` }
        return (await fetch(`${url}/healthz/ready`)).ok ? { failed: null } : undefined
      }
      const { failed } = await eventually(ready, { timeoutMilliseconds: 60_000 })
      if (failed !== null) throw new Error(failed)
    },
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
    signal: (signal) => void child?.kill(signal),
  }
}
