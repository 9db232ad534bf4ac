import { newId } from '@hearth/foundation'
import pg from 'pg'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'

export interface Answer {
  status: number
  text: string
}

/** An installation with two replicas, and requests to them as their bytes are. */
export interface RequestParty extends AsyncDisposable {
  installation: Installation
  sql: pg.Client
  second: Replica
  restartSecond(): Promise<void>
  send(
    url: string,
    method: string,
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** An environment that is running according to the database, claimed or not: enough to sign a certificate. */
  runningEnvironment(claimId: string | null): Promise<string>
}

export async function startRequestParty(): Promise<RequestParty> {
  const installation = await startInstallation()
  const sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const send: RequestParty['send'] = async (url, method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${installation.token}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }
  const party: RequestParty = {
    installation,
    sql,
    second: await startReplica(installation),
    async restartSecond() {
      await party.second.stop()
      party.second = await startReplica(installation)
    },
    send,
    async runningEnvironment(claimId) {
      const { url, client } = installation
      const project = idOf(await send(url, 'POST', '/v1/projects', { name: `p-${newId()}`, spec: {} }))
      const classes = await client.environmentClasses.list({})
      const spec = { projectId: project, environmentClassId: classes.items[0]?.metadata.id }
      const id = idOf(await send(url, 'POST', '/v1/environments', { spec }))
      const address = { host: '127.0.0.1', port: 22, user: 'root', hostKey: 'ssh-ed25519 AAAA' }
      await sql.query(
        `UPDATE environments SET claim_id = $2, status = jsonb_set(status, '{address}', $3::jsonb) WHERE id = $1`,
        [id, claimId, JSON.stringify(address)],
      )
      return id
    },
    async [Symbol.asyncDispose]() {
      await sql.end()
      await party.second.stop()
      await installation[Symbol.asyncDispose]()
    },
  }
  return party
}

export const idOf = (answer: Answer): string => {
  const value = JSON.parse(answer.text) as { id?: string; metadata?: { id: string } }
  return value.metadata?.id ?? value.id ?? ''
}

/** An Ed25519 key of 32 equal bytes, as OpenSSH writes it. */
export function publicKey(fill: string): string {
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(32, fill))])
  return `ssh-ed25519 ${blob.toString('base64')}`
}
