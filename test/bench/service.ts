import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { freePort, startNatsServer, startPostgres } from '@hearth/embedded'
import { eventually, programsFolder, temporaryFolder } from '@hearth/testing'
import { bundle } from '../hardware/programs.ts'

/** One caller claims thousands of environments here and keeps them all; a member normally has some hundreds at most. */
const principalQuotas = [
  'environments',
  'running',
  'virtualCpus',
  'memoryMebibytes',
  'diskGibibytes',
  'streams',
  'requestsPerSecond',
]
  .map((name) => `${name}=none`)
  .join(',')

/** The shipped control plane as a process of its own, on servers that write durably: what a user would run. */
export interface Service extends AsyncDisposable {
  url: string
  token: string
  client: HearthClient
  databaseUrl: string
  postgresPid: number
  nats: { url: string; pid: number; credentialsFile: string }
  folder: string
  readonly controlPlane: ChildProcess
  /** Kills the control plane as a crash would and starts it again; resolves when it is ready. */
  crashControlPlane(): Promise<void>
  /** Starts the shipped agent beside it with the given settings; it ends with the service. */
  startAgent(name: string, settings: Readonly<Record<string, string>>): Promise<ChildProcess>
}

/** Finds the bundle of a program. */
export type Programs = (program: 'control-plane' | 'runner-agent') => Promise<string>

export async function startService(program: Programs = bundle): Promise<Service> {
  const ends: (() => unknown)[] = []
  const endAll = async () => {
    for (const each of ends.splice(0).reverse()) await each()
  }
  return start(program, ends, endAll).catch(async (error: unknown) => {
    await endAll()
    throw error
  })
}

/** Adds to `ends` the way to end each thing, as soon as that thing has been started. */
async function start(
  program: Programs,
  ends: (() => unknown)[],
  endAll: () => Promise<void>,
): Promise<Service> {
  const folder = await temporaryFolder('bench')
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  const programs = await programsFolder()
  const log = (message: string) => process.stderr.write(`${message}\n`)
  const postgres = await startPostgres({ folder: join(folder, 'postgres'), programs, log })
  ends.push(() => postgres.stop())
  const nats = await startNatsServer({ folder: join(folder, 'nats'), programs, log, authorization: true })
  ends.push(() => nats.stop())
  const token = `hearth_${randomBytes(32).toString('base64url')}`
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, token, { mode: 0o600 })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const settings = {
    HEARTH_DATABASE_URL: postgres.url,
    HEARTH_NATS_URL: nats.url,
    HEARTH_NATS_CREDENTIALS_FILE: nats.controlPlaneCredentialsFile ?? '',
    HEARTH_NATS_ACCOUNT_SEED_FILE: nats.accountSeedFile ?? '',
    HEARTH_LISTEN: `127.0.0.1:${port}`,
    HEARTH_DRAIN_SECONDS: '0',
    HEARTH_ENCRYPTION_KEY_FILE: join(folder, 'encryption.key'),
    HEARTH_ORGANIZATION_QUOTAS: 'streams=none,requestsPerSecond=none',
    HEARTH_PRINCIPAL_QUOTAS: principalQuotas,
    HEARTH_BOOTSTRAP_TOKEN_FILE: tokenFile,
  }
  const startControlPlane = async () => {
    const child = startProgram(folder, 'control-plane', await program('control-plane'), settings)
    ends.push(() => end(child))
    await eventually(async () => (await fetch(`${url}/healthz/ready`)).ok, { timeoutMilliseconds: 30_000 })
    return child
  }
  let controlPlane = await startControlPlane()
  const client = new HearthClient({ url, token })
  return {
    url,
    token,
    client,
    databaseUrl: postgres.url,
    postgresPid: postgres.pid,
    nats: { url: nats.url, pid: nats.pid, credentialsFile: nats.controlPlaneCredentialsFile ?? '' },
    folder,
    get controlPlane() {
      return controlPlane
    },
    async crashControlPlane() {
      const exited = new Promise<void>((resolve) => controlPlane.once('exit', () => resolve()))
      controlPlane.kill('SIGKILL')
      await exited
      controlPlane = await startControlPlane()
    },
    async startAgent(name, agentSettings) {
      const { runner, token: runnerToken } = await client.runners.create({ name, labels: {}, spec: {} })
      const state = join(folder, name)
      mkdirSync(state, { recursive: true, mode: 0o755 })
      const identity = { url, runnerId: runner.metadata.id, token: runnerToken }
      writeFileSync(join(state, 'runner.json'), JSON.stringify(identity), { mode: 0o600 })
      const agent = startProgram(folder, name, await program('runner-agent'), {
        HEARTH_AGENT_STATE: state,
        ...agentSettings,
      })
      ends.push(() => end(agent))
      await eventually(async () => (await client.runners.get(name)).status.phase === 'active', {
        timeoutMilliseconds: 60_000,
      })
      return agent
    },
    [Symbol.asyncDispose]: endAll,
  }
}

/** Resident memory of a process in MiB, as the kernel counts it. */
export function residentMebibytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024
}

function startProgram(
  folder: string,
  name: string,
  program: string,
  settings: Record<string, string>,
): ChildProcess {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, HEARTH_LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' })
  child.stdout?.pipe(log)
  child.stderr?.pipe(log)
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await exited
}
