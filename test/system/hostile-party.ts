import { HearthClient } from '@hearth/client'
import { type RunnerFacts, registrationSchema, renewsCredentialsHeader, subjects } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import type { Installation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** A host of another organization whose owner sends everything its credentials allow. */
export interface HostileRunner extends AsyncDisposable {
  runnerId: string
  token: string
  /** Content of its credentials file. */
  credentials: string
  epoch: number
  /** Token of its organization's administrator. */
  client: HearthClient
  nats: NatsConnection
  isConnected(): boolean
  jetStream: JetStreamClient
  presence(changes?: Record<string, unknown>): Record<string, unknown>
  report(id: string, changes?: Record<string, unknown>): Record<string, unknown>
  registers(facts: unknown): Promise<{ status: number; body: string }>
}

export const goodFacts: RunnerFacts = {
  virtualization: 'synthetic',
  virtualCpus: 16,
  memoryMebibytes: 16_384,
  diskGibibytes: 1_000,
  images: ['debian-12'],
  agentVersion: 'hostile',
  sealingKey: `${'A'.repeat(43)}=`,
}

export async function startHostileRunner(
  installation: Installation,
  { renews = false }: { renews?: boolean } = {},
): Promise<HostileRunner> {
  const { url } = installation
  const name = `hostile-${newId().slice(-8)}`
  const own = new HearthClient({ url, token: await newOrganization(installation, name) })
  const { runner, token } = await own.runners.create({ name, labels: {}, spec: {} })
  const runnerId = runner.metadata.id
  const registers = async (facts: unknown) => {
    const response = await fetch(`${url}/v1/runners/${runnerId}/registration`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        ...(renews ? { [renewsCredentialsHeader]: 'true' } : {}),
      },
      body: JSON.stringify({ facts }),
    })
    return { status: response.status, body: await response.text() }
  }
  const { epoch, nats: way } = registrationSchema.parse(JSON.parse((await registers(goodFacts)).body))
  const nats = await connect({
    servers: way.servers,
    authenticator: credsAuthenticator(new TextEncoder().encode(way.credentials ?? '')),
    inboxPrefix: subjects.inbox(runnerId),
  })
  let connected = true
  const follow = async () => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect' || type === 'close') connected = false
      if (type === 'reconnect') connected = true
    }
  }
  void follow()
  const now = () => systemClock.now().toISOString()
  return {
    runnerId,
    token,
    credentials: way.credentials ?? '',
    isConnected: () => connected,
    epoch,
    client: own,
    nats,
    jetStream: jetstream(nats, { checkAPI: false }),
    registers,
    presence: (changes = {}) => ({
      runnerId,
      epoch,
      facts: goodFacts,
      environments: 0,
      sentAt: now(),
      ...changes,
    }),
    report: (id, changes = {}) => ({
      kind: 'environment',
      id,
      runnerId,
      epoch,
      generation: 1,
      sequence: 1,
      phase: 'running',
      address: { host: '127.0.0.1', port: 22, user: 'root', hostKey: newPublicKey() },
      identity: null,
      steps: [],
      failure: null,
      reportedAt: now(),
      ...changes,
    }),
    [Symbol.asyncDispose]: () => nats.close(),
  }
}

/** Makes an organization; returns its administrator’s token. */
export async function newOrganization(
  { url, token }: Pick<Installation, 'url' | 'token'>,
  name: string,
): Promise<string> {
  const response = await fetch(`${url}/v1/organizations`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, spec: { displayName: name } }),
  })
  return ((await response.json()) as { token: string }).token
}

/** Another organization's host with a claimed environment, and a check that both are unharmed. */
export interface Victim extends AsyncDisposable {
  agent: SyntheticAgent
  claimId: string
  environmentId: string
  /**
   * Resolves after two further heartbeats of the host; throws without them, or if its machine is not claimed any more.
   */
  isUnhurt(): Promise<void>
  isHeard(): Promise<void>
  /** The current state of the claim. */
  holds(): Promise<{ claimId: string | null; environmentId: string | null }>
}

export async function startVictim(installation: Installation): Promise<Victim> {
  const { client } = installation
  const agent = await startSyntheticAgent(installation, {
    name: 'victim',
    timings: { heartbeat: 200 },
  })
  await client.apply({ apiVersion: 'hearth/v1', name: 'victim', warmPools: [{ min: 1 }] })
  const claim = await client.claims.create({
    spec: { project: 'victim', fallback: 'cold', publicKey: newPublicKey() },
  })
  const claimId = claim.metadata.id
  const bound = await eventually(
    async () => {
      const { status } = await client.claims.get(claimId)
      return status.phase === 'bound' ? status : null
    },
    { timeoutMilliseconds: 90_000 },
  )
  const environmentId = bound.environmentId ?? ''
  const heardAt = async () => (await client.runners.get(agent.runner.metadata.id)).status.lastSeenAt
  const heardAfter = async (before: string | null) => {
    await eventually(async () => (await heardAt()) !== before, { timeoutMilliseconds: 5_000 })
  }
  const isHeard = async () => {
    for (let beats = 0; beats < 2; beats += 1) await heardAfter(await heardAt())
  }
  return {
    agent,
    claimId,
    environmentId,
    isHeard,
    async holds() {
      const { status } = await client.claims.get(claimId)
      const { claimId: holder } = (await client.environments.get(environmentId)).status
      return { claimId: holder, environmentId: status.environmentId }
    },
    async isUnhurt() {
      await isHeard()
      const { status } = await client.claims.get(claimId)
      if (status.phase !== 'bound' || status.environmentId !== environmentId)
        throw new Error(`the claim is ${status.phase} on ${status.environmentId}`)
      const { phase } = (await client.environments.get(environmentId)).status
      if (phase !== 'running') throw new Error(`the machine is ${phase}`)
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}
