import {
  failureSchema,
  identitySchema,
  isDone,
  type ProvisioningPlan,
  planSteps,
  type StepStatus,
  stepStatusSchema,
} from '@hearth/contract'
import { z } from 'zod'
import { environmentSecretNames } from './clone.ts'

/** Progress stored beside a machine, so that a new agent process continues where the old one stopped. */
export const environmentRecordSchema = z.object({
  /** Generation with which provisioning began; part of the keys in the guest's ledger. */
  generation: z.int().positive(),
  /** Power state that the agent last requested; a machine that is off although it should run ended by itself. */
  power: z.enum(['stopped', 'running']),
  /** Id of the host's boot in which the machine was last started; null before that, and in records of older agents. */
  hostBootId: z.string().nullable().default(null),
  steps: z.array(stepStatusSchema),
  /** Null until the guest was checked after its current boot. */
  identity: identitySchema.nullable(),
  failure: failureSchema.nullable(),
  /** Generation that failed; a newer generation tries again. */
  failedGeneration: z.int().nonnegative(),
})
export type EnvironmentRecord = z.infer<typeof environmentRecordSchema>

export function newRecord(generation: number, plan: ProvisioningPlan): EnvironmentRecord {
  return {
    generation,
    power: 'stopped',
    hostBootId: null,
    steps: newSteps(plan),
    identity: null,
    failure: null,
    failedGeneration: 0,
  }
}

/** All steps of a plan; steps with nothing to do are skipped from the start. */
export function newSteps(plan: ProvisioningPlan): StepStatus[] {
  return planSteps(plan).map(({ name, repository }) => ({
    name,
    repository,
    phase: hasWork(plan, name, repository) ? 'pending' : 'skipped',
    startedAt: null,
    finishedAt: null,
    durationMilliseconds: null,
    exitCode: null,
    output: '',
    outputBytes: 0,
    error: null,
  }))
}

function hasWork(plan: ProvisioningPlan, name: StepStatus['name'], repository: string | null): boolean {
  switch (name) {
    case 'create_vm':
    case 'own_identity':
    case 'ensure_server':
    case 'clone_repo':
    case 'init_repo':
      return true
    case 'set_env_vars':
      return Object.keys(plan.variables).length > 0 || environmentSecretNames(plan).length > 0
    case 'project_setup':
      return plan.projectSetup.length > 0
    case 'repo_setup':
      return (plan.repositories.find((each) => each.name === repository)?.setup.length ?? 0) > 0
    case 'warm_pool_setup':
      return plan.warmPoolSetup.length > 0
  }
}

/** Parses the text that a host stores; null where there is none or it is incomplete. */
export function parseRecord(text: string | null): EnvironmentRecord | null {
  if (text === null) return null
  try {
    return environmentRecordSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Index of the first step that has not ended; -1 when provisioning is finished. */
export function firstOpenStep(steps: readonly StepStatus[]): number {
  return steps.findIndex(({ phase }) => phase === 'pending' || phase === 'running')
}

export function isLastOpen(record: EnvironmentRecord | null, index: number): boolean {
  return record?.steps.every(({ phase }, at) => at <= index || phase !== 'pending') ?? false
}

export function isProvisioned(record: EnvironmentRecord): boolean {
  return record.steps.every(isDone)
}
