import type { HearthClient } from '@hearth/client'
import { type EnvironmentReport, subjects } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { connectMessaging } from '@hearth/messaging'
import { eventually } from '@hearth/testing'
import { createStep, register } from './scripted-runner.ts'

/** Makes a machine that runs, as its runner reports, and returns the environment's id; nobody is its agent afterwards. */
export async function startRunningMachine(client: HearthClient): Promise<string> {
  const name = `machine-${newId().slice(-6)}`
  const { runner, token } = await client.runners.create({ name, labels: { host: name }, spec: {} })
  const runnerId = runner.metadata.id
  const { epoch, nats } = await register(client.url, runnerId, token)
  const project = await client.projects.create({ name, spec: {} })
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  const spec = { ...size, runnerSelector: { host: name } }
  const environmentClass = await client.environmentClasses.create({ name, spec })
  const { metadata } = await client.environments.create({
    name,
    spec: { projectId: project.metadata.id, environmentClassId: environmentClass.metadata.id },
  })
  const { id } = metadata
  const patience = { timeoutMilliseconds: 20_000 }
  await eventually(
    async () => ((await client.environments.get(id)).status.runnerId === null ? null : true),
    patience,
  )
  const messaging = await connectMessaging({
    servers: nats.servers,
    ...(nats.credentials === null ? {} : { credentials: nats.credentials }),
    name,
    inboxPrefix: subjects.inbox(runnerId),
  })
  try {
    await messaging.publishReport(runningReport({ id, runnerId, epoch }))
  } finally {
    await messaging.close()
  }
  await eventually(
    async () => ((await client.environments.get(id)).status.phase === 'running' ? true : null),
    patience,
  )
  return id
}

function runningReport(of: Pick<EnvironmentReport, 'id' | 'runnerId' | 'epoch'>): EnvironmentReport {
  return {
    kind: 'environment',
    ...of,
    generation: 1,
    sequence: 1,
    phase: 'running',
    address: null,
    identity: null,
    paused: null,
    steps: [{ ...createStep(''), phase: 'succeeded' }],
    failure: null,
    reportedAt: systemClock.now().toISOString(),
  }
}
