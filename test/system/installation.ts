import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { type ControlPlane, composeControlPlane } from '@hearth/control-plane'
import { newId } from '@hearth/foundation'
import { createTestDatabase, startTestNats, type TestDatabase, type TestNats } from '@hearth/testing'
import { serve } from '@hono/node-server'
import { pino } from 'pino'

/** A control plane on a real PostgreSQL and a real nats-server, with its administrator's client. */
export interface Installation extends AsyncDisposable {
  url: string
  token: string
  client: HearthClient
  controlPlane: ControlPlane
  database: TestDatabase
  nats: TestNats
  folder: string
}

export async function startInstallation(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-system-'))
  const database = await createTestDatabase()
  const nats = await startTestNats({ authorization: true })
  const token = `hearth_${newId()}`
  const controlPlane = await composeControlPlane(
    {
      databaseUrl: database.url,
      databaseConnections: 20,
      nats: {
        servers: [nats.url],
        credentials: nats.controlPlaneCredentials ?? null,
        accountSeed: nats.accountSeed ?? null,
        runnerServers: [nats.url],
      },
      listen: { host: '127.0.0.1', port: 0 },
      encryptionKeyFile: join(folder, 'encryption.key'),
      bootstrapToken: token,
      logLevel: 'silent',
    },
    pino({ level: process.env.HEARTH_TEST_LOG ?? 'silent' }),
  )
  const { server, url } = await listen(controlPlane)
  return {
    url,
    token,
    client: new HearthClient({ url, token }),
    controlPlane,
    database,
    nats,
    folder,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await controlPlane.stop()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      await nats[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function listen(
  controlPlane: ControlPlane,
): Promise<{ server: ReturnType<typeof serve>; url: string }> {
  return new Promise((resolve) => {
    const server = serve(
      { fetch: controlPlane.application.fetch, hostname: '127.0.0.1', port: 0 },
      ({ port }) => {
        resolve({ server, url: `http://127.0.0.1:${port}` })
      },
    )
  })
}
