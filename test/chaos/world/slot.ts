import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  startTestNats,
  startTestPostgres,
  type TestNats,
  type TestPostgres,
  temporaryFolder,
} from '@hearth/testing'
import { Client } from 'pg'
import { Child } from './child.ts'

const template = 'chaos_template'

interface Files {
  credentials: string
  accountSeed: string
  encryptionKey: string
}

/** A PostgreSQL and a NATS server, used by one run after another, and a folder for the files of the runs. */
export class Slot implements AsyncDisposable {
  private runs = 0

  private constructor(
    readonly postgres: TestPostgres,
    readonly nats: TestNats,
    private readonly folder: string,
    readonly files: Files,
  ) {}

  static async open(): Promise<Slot> {
    const [postgres, nats] = await Promise.all([startTestPostgres(), startTestNats({ authorization: true })])
    const folder = await temporaryFolder('chaos')
    const files = {
      credentials: join(folder, 'nats.creds'),
      accountSeed: join(folder, 'nats.seed'),
      encryptionKey: join(folder, 'encryption.key'),
    }
    await writeFile(files.credentials, nats.controlPlaneCredentials ?? '', { mode: 0o600 })
    await writeFile(files.accountSeed, nats.accountSeed ?? '', { mode: 0o600 })
    const slot = new Slot(postgres, nats, folder, files)
    await slot.makeTemplate()
    return slot
  }

  /** An empty installation: a fresh database, NATS without streams, and a folder. */
  async installation(): Promise<Installation> {
    this.runs += 1
    const database = `run_${randomUUID().replaceAll('-', '')}`
    const folder = join(this.folder, String(this.runs))
    const token = `hearth_${randomUUID()}`
    const tokenFile = join(folder, 'token')
    await mkdir(folder)
    await Promise.all([
      this.emptyNats(),
      administer(this.postgres, `CREATE DATABASE ${database} TEMPLATE ${template}`),
      writeFile(tokenFile, token, { mode: 0o600 }),
    ])
    const databaseUrl = urlOf(this.postgres, database)
    return {
      folder,
      token,
      databaseUrl,
      environment: (natsPort) => ({
        ...this.environment(databaseUrl, natsPort),
        HEARTH_BOOTSTRAP_TOKEN_FILE: tokenFile,
      }),
      change: (statement) => administer({ url: databaseUrl }, statement),
      removeDatabase: () => administer(this.postgres, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`),
    }
  }

  get natsPort(): number {
    return Number(new URL(this.nats.url).port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.postgres[Symbol.asyncDispose](), this.nats[Symbol.asyncDispose]()])
  }

  /** Removes the files of the slot. */
  async forget(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  private environment(databaseUrl: string, natsPort: number): Record<string, string> {
    return {
      HEARTH_DATABASE_URL: databaseUrl,
      HEARTH_DATABASE_CONNECTIONS: '12',
      HEARTH_NATS_URL: `nats://127.0.0.1:${natsPort}`,
      HEARTH_NATS_CREDENTIALS_FILE: this.files.credentials,
      HEARTH_NATS_ACCOUNT_SEED_FILE: this.files.accountSeed,
      HEARTH_LISTEN: '127.0.0.1:1',
      HEARTH_ENCRYPTION_KEY_FILE: this.files.encryptionKey,
      HEARTH_ORGANIZATION_QUOTAS: 'streams=none,requestsPerSecond=none',
      HEARTH_PRINCIPAL_QUOTAS: 'streams=none,requestsPerSecond=none',
    }
  }

  /** Has a control plane migrate a database once; each run gets a copy. */
  private async makeTemplate(): Promise<void> {
    await administer(this.postgres, `CREATE DATABASE ${template}`)
    const environment = this.environment(urlOf(this.postgres, template), this.natsPort)
    const child = new Child(
      'control-plane',
      () => ({
        type: 'start',
        environment: { ...environment, HEARTH_LOG_LEVEL: 'warn' },
        natsServer: null,
        kill: null,
        break: null,
        clockOffsetMilliseconds: 0,
        stepsTwice: false,
        diskFull: false,
      }),
      join(this.folder, 'template.log'),
      () => undefined,
    )
    await Promise.race([
      eventually(() => child.port !== null, { timeoutMilliseconds: 60_000 }),
      child.ended.then(() => {
        if (child.port === null)
          throw new Error(`the control plane did not start: see ${this.folder}/template.log`)
      }),
    ])
    child.kill()
    await child.ended
    await eventually(
      () => administer(this.postgres, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`).then(() => true),
      { timeoutMilliseconds: 10_000 },
    )
  }

  private async emptyNats(): Promise<void> {
    await this.nats.crash()
    await this.nats.empty()
    await this.nats.start()
  }
}

export interface Installation {
  folder: string
  token: string
  databaseUrl: string
  /** Settings of a control plane that reaches NATS through this port. */
  environment(natsPort: number): Record<string, string>
  /** Runs a statement in the database. */
  change(statement: string): Promise<void>
  removeDatabase(): Promise<void>
}

async function administer(postgres: Pick<TestPostgres, 'url'>, statement: string): Promise<void> {
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function urlOf(postgres: TestPostgres, database: string): string {
  const url = new URL(postgres.url)
  url.pathname = `/${database}`
  return url.href
}
