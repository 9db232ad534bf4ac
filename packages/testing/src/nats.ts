import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type EmbeddedNats, startNatsServer } from '@hearth/embedded'
import type { RevocationKeys } from '@hearth/messaging'
import { programsFolder, temporaryFolder } from './folder.ts'
import { guard } from './guardian.ts'

export interface TestNats extends AsyncDisposable {
  url: string
  /** With authorization: the text of the control plane's credentials. */
  controlPlaneCredentials: string | undefined
  /** With authorization: what signs runners' credentials. */
  accountSeed: string | undefined
  /** With authorization: what signs observers' credentials. */
  observerSeed: string | undefined
  /** With authorization: what takes runners' credentials back. */
  revocation: RevocationKeys | undefined
  /** Where it keeps what it stores. */
  storeFolder: string
  /** Kills the server as a crash would and starts it again on the same store and port. */
  crashAndRestart(): Promise<void>
  /** Kills the server; `start` brings it back. */
  crash(): Promise<void>
  /** Removes all it has stored. Only while it is down. */
  empty(): Promise<void>
  /** Keeps a copy of all it has stored. Only while it is down. */
  copyStore(): Promise<void>
  /** Puts the copy in the place of what it has stored since. Only while it is down. */
  restoreStore(): Promise<void>
  /** Stops the server in order; `start` brings it back on the same store and port. */
  stop(): Promise<void>
  start(): Promise<void>
}

export interface TestNatsOptions {
  authorization?: boolean
}

/** A NATS server with JetStream of its own. */
export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const folder = await temporaryFolder('nats')
  const store = join(folder, 'jetstream')
  const copy = join(folder, 'jetstream-copy')
  let server = await start(folder, options)
  const { url, controlPlaneCredentialsFile, accountSeedFile, observerSeedFile } = server
  const accountSeed = (await readGiven(accountSeedFile))?.trim()
  const signingSeed = (await readGiven(server.signingSeedFile))?.trim()
  const systemCredentials = await readGiven(server.systemCredentialsFile)
  const crash = async () => {
    kill(server.pid)
    await server.stop()
  }
  return {
    url,
    controlPlaneCredentials: await readGiven(controlPlaneCredentialsFile),
    accountSeed,
    observerSeed: (await readGiven(observerSeedFile))?.trim(),
    revocation:
      accountSeed === undefined || signingSeed === undefined || systemCredentials === undefined
        ? undefined
        : { runnerAccountSeed: accountSeed, signingSeed, systemCredentials },
    async crashAndRestart() {
      await crash()
      server = await start(folder, options)
    },
    crash,
    storeFolder: store,
    empty: () => rm(store, { recursive: true, force: true }),
    copyStore: () => replaceFolder(copy, store),
    restoreStore: () => replaceFolder(store, copy),
    stop: () => server.stop(),
    async start() {
      server = await start(folder, options)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function start(folder: string, options: TestNatsOptions): Promise<EmbeddedNats> {
  const server = await startNatsServer({
    folder,
    programs: await programsFolder(),
    log: () => undefined,
    authorization: options.authorization ?? false,
  })
  guard(server.pid, folder)
  return server
}

/** With owners and all: the server runs as a user of its own. */
async function replaceFolder(folder: string, source: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await promisify(execFile)('cp', ['--archive', '--', source, folder])
}

/** Does nothing when the process has ended already. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown
  }
}

async function readGiven(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readFile(file, 'utf8')
}
