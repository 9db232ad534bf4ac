import { readFile, rm } from 'node:fs/promises'
import { type EmbeddedNats, startNatsServer } from '@hearth/embedded'
import { programsFolder, temporaryFolder } from './folder.ts'
import { guard } from './guardian.ts'

export interface TestNats extends AsyncDisposable {
  url: string
  /** With authorization: the text of the control plane's credentials. */
  controlPlaneCredentials: string | undefined
  /** With authorization: what signs runners' credentials. */
  accountSeed: string | undefined
  /** Kills the server as a crash would and starts it again on the same store and port. */
  crashAndRestart(): Promise<void>
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
  let server = await start(folder, options)
  const { url, controlPlaneCredentialsFile, accountSeedFile } = server
  return {
    url,
    controlPlaneCredentials: await readGiven(controlPlaneCredentialsFile),
    accountSeed: (await readGiven(accountSeedFile))?.trim(),
    async crashAndRestart() {
      process.kill(server.pid, 'SIGKILL')
      await server.stop()
      server = await start(folder, options)
    },
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

async function readGiven(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readFile(file, 'utf8')
}
