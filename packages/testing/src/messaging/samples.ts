import type {
  EnvironmentOrder,
  EnvironmentReport,
  Event,
  LogChunk,
  Presence,
  ProvisioningPlan,
} from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'

const now = () => systemClock.now().toISOString()

/** The smallest plan: no repositories, variables, secrets or setup commands. */
export function samplePlan(changes: Partial<ProvisioningPlan> = {}): ProvisioningPlan {
  return {
    image: 'debian-12',
    virtualCpus: 1,
    memoryMebibytes: 512,
    diskGibibytes: 4,
    repositories: [],
    variables: {},
    secretNames: [],
    projectSetup: [],
    warmPoolSetup: [],
    ...changes,
  }
}

export function sampleOrder(changes: Partial<EnvironmentOrder> = {}): EnvironmentOrder {
  const id = changes.id ?? newId()
  return {
    kind: 'environment',
    id,
    name: 'web-1',
    organizationId: newId(),
    runnerId: newId(),
    epoch: 1,
    generation: 1,
    desiredPhase: 'running',
    plan: samplePlan(),
    sealedSecrets: null,
    userCertificateAuthority: 'ssh-ed25519 AAAA',
    principal: `environment:${id}`,
    ...changes,
  }
}

export function sampleReport(changes: Partial<EnvironmentReport> = {}): EnvironmentReport {
  return {
    kind: 'environment',
    id: newId(),
    runnerId: newId(),
    epoch: 1,
    generation: 1,
    sequence: 1,
    phase: 'running',
    address: null,
    identity: null,
    paused: null,
    steps: [],
    failure: null,
    reportedAt: now(),
    ...changes,
  }
}

export function sampleChunk(changes: Partial<LogChunk> = {}): LogChunk {
  return {
    environmentId: newId(),
    step: 'project_setup',
    offset: 0,
    text: 'hello\n',
    end: false,
    time: now(),
    ...changes,
  }
}

export function sampleEvent(changes: Partial<Event> = {}): Event {
  return {
    id: newId(),
    position: 1,
    organizationId: newId(),
    verb: 'updated',
    kind: 'WarmPool',
    resourceId: newId(),
    specVersion: 1,
    statusVersion: 1,
    time: now(),
    resource: {},
    ...changes,
  }
}

export function samplePresence(changes: Partial<Presence> = {}): Presence {
  return {
    runnerId: newId(),
    epoch: 1,
    facts: {
      virtualization: 'synthetic',
      virtualCpus: 4,
      memoryMebibytes: 8_192,
      diskGibibytes: 100,
      images: ['debian-12'],
      agentVersion: '0.1.0',
      sealingKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    },
    environments: 0,
    sentAt: now(),
    ...changes,
  }
}
