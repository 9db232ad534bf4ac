import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { type EmbeddedPostgres, startPostgres } from '@hearth/embedded'
import { Client } from 'pg'
import { programsFolder, temporaryFolder } from './folder.ts'
import { guard } from './guardian.ts'

export interface TestPostgres extends AsyncDisposable {
  /** Of an empty database `hearth`. */
  url: string
  /** Ends the server and every session at once, as a crash would. */
  crash(): Promise<void>
  /** Starts it again after a crash, on the same port. */
  restart(): Promise<void>
  /** Both, one after the other. */
  crashAndRestart(): Promise<void>
}

export interface TestDatabase extends AsyncDisposable {
  url: string
}

let shared: Promise<EmbeddedPostgres> | undefined
const templates = new Map<(url: string) => Promise<void>, Promise<string>>()

/** A server of its own, for tests that stop it or look at the whole of it; `createTestDatabase` is cheaper. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await temporaryFolder('postgres')
  let server = await startIn(folder)
  const crash = async () => {
    process.kill(server.pid, 'SIGQUIT')
    await server.stop()
  }
  const restart = async () => {
    server = await startIn(folder)
  }
  return {
    url: server.url,
    crash,
    restart,
    async crashAndRestart() {
      await crash()
      await restart()
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * A new database on a server that all tests of this process share. `prepare` (migrations, say) runs once per
 * process, on a database that those made with the same function are then copied from.
 */
export async function createTestDatabase(prepare?: (url: string) => Promise<void>): Promise<TestDatabase> {
  shared ??= temporaryFolder('postgres').then(startIn)
  const server = await shared
  const template = prepare === undefined ? 'template0' : await templateOf(server, prepare)
  const name = await createDatabase(server, template)
  return {
    url: urlOf(server, name),
    [Symbol.asyncDispose]: () => administer(server, `drop database if exists "${name}" with (force)`),
  }
}

function templateOf(server: EmbeddedPostgres, prepare: (url: string) => Promise<void>): Promise<string> {
  const known = templates.get(prepare)
  if (known !== undefined) return known
  const made = createDatabase(server, 'template0').then(async (name) => {
    await prepare(urlOf(server, name))
    return name
  })
  templates.set(prepare, made)
  return made
}

async function createDatabase(server: EmbeddedPostgres, template: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(server, `create database "${name}" template "${template}"`)
  return name
}

async function administer(server: EmbeddedPostgres, statement: string): Promise<void> {
  const client = new Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function urlOf(server: EmbeddedPostgres, database: string): string {
  const url = new URL(server.url)
  url.pathname = `/${database}`
  return url.href
}

async function startIn(folder: string): Promise<EmbeddedPostgres> {
  const server = await startPostgres({
    folder,
    programs: await programsFolder(),
    log: () => undefined,
    durable: false,
  })
  guard(server.pid, folder)
  return server
}
