import type { Environment, WarmPool } from '@hearth/contract'
import { samplePlan } from '@hearth/testing'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const time = '2026-11-20T18:07:00.000Z'
const metadata = {
  id,
  organizationId: id,
  name: 'x',
  creator: null,
  createdAt: time,
  updatedAt: time,
  labels: {},
}

const versions = { specVersion: 1, statusVersion: 1 }
const shared = { observedSpecVersion: 1, failure: null, deadline: null }

/** A pool with one member, changed as given. */
export function samplePool(
  status: Partial<WarmPool['status']>,
  spec: Partial<WarmPool['spec']> = {},
): WarmPool {
  const counts = { ready: 0, provisioning: 0, failed: 0, claimed: 0, consecutiveFailures: 0, retryAt: null }
  const unchecked = { uncheckedBranch: null, quota: null, lack: null }
  const tiers = { suspended: 0, stopped: 0, resumable: 0, desiredSize: spec.min ?? 1, scaling: null }
  return {
    kind: 'WarmPool',
    metadata,
    ...versions,
    spec: {
      projectId: id,
      environmentClassId: id,
      enabled: true,
      min: 1,
      max: null,
      running: null,
      rest: 'suspended',
      wantedShare: 0.99,
      schedules: [],
      branch: null,
      maxAgeMinutes: null,
      setup: [],
      life: {},
      ...spec,
    },
    status: { phase: 'ready', ...counts, ...tiers, ...unchecked, ...shared, ...status },
  }
}

/** A member of that pool in the given phase. */
export function sampleMachine(phase: Environment['status']['phase']): Environment {
  const failed = phase === 'failed'
  return {
    kind: 'Environment',
    metadata,
    ...versions,
    spec: {
      desiredPhase: 'running',
      projectId: id,
      environmentClassId: id,
      warmPoolId: id,
      test: null,
      inspection: null,
      prebuildId: null,
      source: null,
      plan: samplePlan(),
    },
    status: {
      phase,
      runnerId: null,
      claimId: null,
      unreachable: false,
      address: null,
      identity: null,
      paused: null,
      life: null,
      resumed: null,
      restarts: null,
      steps: [],
      summary: { success: null, failedStep: null, error: null },
      placement: null,
      readyAt: null,
      removeAt: null,
      deletion: null,
      startedFrom: null,
      ...shared,
      failure: failed ? { code: 'command_failed', message: 'make: no rule', step: 'project_setup' } : null,
    },
  }
}
