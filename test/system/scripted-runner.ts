import {
  type EnvironmentReport,
  type Registration,
  type RunnerFacts,
  registrationSchema,
  type StepStatus,
} from '@hearth/contract'
import { generateSealingKeyPair, newId, systemClock } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { eventually } from '@hearth/testing'
import type { Installation } from './installation.ts'

/** A runner whose agent is the test, which sends any reports in any order. */
export interface ScriptedRunner extends AsyncDisposable {
  messaging: Messaging
  runnerId: string
  epoch: number
  /** Environments placed on it that wait for a report, by id. */
  machines: readonly string[]
  report(id: string, sequence: number, changes?: Partial<EnvironmentReport>): EnvironmentReport
}

const facts: RunnerFacts = {
  virtualization: 'synthetic',
  virtualCpus: 1_000,
  memoryMebibytes: 1_000_000,
  diskGibibytes: 100_000,
  images: ['debian-12'],
  agentVersion: 'scripted',
  sealingKey: generateSealingKeyPair().publicKey,
}

type Way = Pick<Installation, 'client' | 'url'> & {
  nats: Pick<Installation['nats'], 'url' | 'controlPlaneCredentials'>
}

/** Registers it and has a pool place that many machines on it. The project has the runner's name. */
export async function startScriptedRunner(
  { client, url, nats }: Way,
  machines: number,
  project: Readonly<Record<string, unknown>> = {},
): Promise<ScriptedRunner> {
  const name = `scripted-${newId().slice(-6)}`
  const { runner, token } = await client.runners.create({ name, labels: {}, spec: {} })
  const runnerId = runner.metadata.id
  const { epoch } = await register(url, runnerId, token)
  await client.apply({ apiVersion: 'hearth/v1', name, ...project, warmPools: [{ min: machines }] })
  const placed = await eventually(
    async () => {
      const all = await client.environments.listAll({ runnerId })
      return all.length === machines ? all.map(({ metadata }) => metadata.id) : null
    },
    { timeoutMilliseconds: 20_000 },
  )
  const messaging = await connectMessaging({
    servers: [nats.url],
    credentials: nats.controlPlaneCredentials ?? '',
    name,
  })
  const sentAt = () => systemClock.now().toISOString()
  const beat = () =>
    messaging.publishPresence({ runnerId, epoch, facts, environments: machines, sentAt: sentAt() })
  beat()
  const beating = setInterval(beat, 2_000)
  return {
    messaging,
    runnerId,
    epoch,
    machines: placed,
    report: (id, sequence, changes = {}) => ({
      kind: 'environment',
      id,
      runnerId,
      epoch,
      generation: 1,
      sequence,
      phase: 'provisioning',
      address: null,
      identity: null,
      paused: null,
      steps: [createStep(`after report ${sequence}\n`)],
      failure: null,
      reportedAt: sentAt(),
      ...changes,
    }),
    async [Symbol.asyncDispose]() {
      clearInterval(beating)
      await messaging.close()
    },
  }
}

export const createStep = (output: string): StepStatus => ({
  name: 'create_vm',
  repository: null,
  phase: 'running',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: null,
  output,
  outputBytes: output.length,
  error: null,
})

/** Registers as an agent does; rejects when the signal aborts first. */
export async function register(
  url: string,
  runnerId: string,
  token: string,
  signal: AbortSignal | null = null,
): Promise<Registration> {
  const response = await fetch(`${url}/v1/runners/${runnerId}/registration`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ facts }),
    signal,
  })
  return registrationSchema.parse(await response.json())
}
