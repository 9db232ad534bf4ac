import {
  declaredProcessesSchema,
  failureSchema,
  identitySchema,
  isDone,
  type MachineSource,
  noResult,
  type ProvisioningPlan,
  type ProvisioningStepName,
  planSteps,
  resumedSchema,
  type StepStatus,
  startedFromSchema,
  stepKey,
  stepStatusSchema,
} from '@hearth/contract'
import { z } from 'zod'
import { bindingRecordSchema } from './binding-record.ts'
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
  /** What the machine was made from, or was last put back to; null until it is made, and in records of older agents. */
  startedFrom: startedFromSchema.nullable().default(null),
  /** Incarnation of the order that the machine was last put back for. */
  incarnation: z.int().nonnegative().default(0),
  /** Host key of the guest in the snapshot. */
  formerHostKey: z.string().nullable().default(null),
  /**
   * Whether the next start goes on from memory. `begun`: it may have been tried. `given_up`: the guest that went on from
   * it cannot be used, and has to boot from the disk.
   */
  memoryStart: z.enum(['none', 'wanted', 'begun', 'given_up']).default('none'),
  /** Whether the guest was scrubbed since its last start. */
  isScrubbed: z.boolean().default(false),
  /** How the machine last went on after it was suspended. */
  resumed: resumedSchema.nullable().default(null),
  /** Whether the machine went on from its own memory and was not checked since. */
  isResuming: z.boolean().default(false),
  /** When the machine was found off and started again, and why, the newest last. */
  restarts: z.array(z.object({ at: z.string(), cause: z.string() })).default([]),
  /** How many there were in all. */
  restartCount: z.int().nonnegative().default(0),
  /** The key of the last notice that was told in the guest. */
  toldNotice: z.string().nullable().default(null),
  /** The order whose suspension failed, and why; the machine runs on. */
  suspensionFault: z
    .object({ generation: z.int().nonnegative(), failure: failureSchema })
    .nullable()
    .default(null),
  /** How far the machine was bound to its claim; null before a claim asked for anything. */
  binding: bindingRecordSchema.nullable().default(null),
  /** What the repositories whose files were read declare, by their folders; null in records of older agents. */
  declared: z.record(z.string(), declaredProcessesSchema).nullable().default(null),
})
export type EnvironmentRecord = z.infer<typeof environmentRecordSchema>

export function newRecord(
  generation: number,
  plan: ProvisioningPlan,
  source: MachineSource | null = null,
): EnvironmentRecord {
  return {
    generation,
    power: 'stopped',
    hostBootId: null,
    steps: newSteps(plan, source),
    identity: null,
    failure: null,
    failedGeneration: 0,
    startedFrom: null,
    incarnation: source?.incarnation ?? 0,
    formerHostKey: null,
    memoryStart: 'none',
    isScrubbed: false,
    resumed: null,
    isResuming: false,
    restarts: [],
    restartCount: 0,
    toldNotice: null,
    suspensionFault: null,
    binding: null,
    declared: {},
  }
}

/** All steps of a plan; steps with nothing to do are skipped from the start, those that the snapshot holds are held. */
export function newSteps(plan: ProvisioningPlan, source: MachineSource | null): StepStatus[] {
  return planSteps(plan, source !== null).map((step) => {
    const phase = hasWork(plan, step.name, step.repository) ? 'pending' : 'skipped'
    return { ...step, ...noResult, phase: phase === 'pending' && isHeld(step, source) ? 'held' : phase }
  })
}

/**
 * The steps of a machine that was put back: what is done stays done, what the snapshot holds is held, and the guest has
 * to be made the machine's own again.
 */
export function restoredSteps(steps: readonly StepStatus[], source: MachineSource): StepStatus[] {
  const [first, ...rest] = steps.filter(({ name }) => name !== 'own_identity')
  const ownIdentity: StepStatus = {
    ...{ name: 'own_identity', repository: null, phase: 'pending' },
    ...noResult,
  }
  const restored = rest.map((step): StepStatus => {
    if (isDone(step)) return step
    return { ...step, ...noResult, phase: isHeld(step, source) ? 'held' : 'pending' }
  })
  return first === undefined ? [ownIdentity] : [first, ownIdentity, ...restored]
}

/** The steps, where that one is to be run again, or only if it is in a phase. */
export function reopened(
  steps: readonly StepStatus[],
  name: StepStatus['name'],
  phase?: StepStatus['phase'],
): StepStatus[] {
  return steps.map((step) =>
    step.name === name && (phase === undefined || step.phase === phase)
      ? { ...step, ...noResult, phase: 'pending' }
      : step,
  )
}

/** The steps of the machine itself are never held: they are about this machine, not about the one in the snapshot. */
function isHeld(step: Pick<StepStatus, 'name' | 'repository'>, source: MachineSource | null): boolean {
  if (step.name === 'create_vm' || step.name === 'own_identity' || step.name === 'ensure_server') return false
  return source?.heldSteps.includes(stepKey(step)) ?? false
}

function hasWork(plan: ProvisioningPlan, name: ProvisioningStepName, repository: string | null): boolean {
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

/**
 * The first repository that has been cloned or updated, whose file no step reads, since its hooks are held; null where
 * there is none.
 */
export function unreadRepository({ steps, declared }: EnvironmentRecord): string | null {
  if (declared === null) return null
  const isHeldHook = (step: StepStatus) => step.name === 'init_repo' && step.phase === 'held'
  const unread = steps
    .filter(isHeldHook)
    .find(({ repository }) =>
      steps.some(
        (step) =>
          step.name === 'clone_repo' &&
          step.repository === repository &&
          step.phase === 'succeeded' &&
          !Object.hasOwn(declared, repository ?? ''),
      ),
    )
  return unread?.repository ?? null
}

export function isLastOpen(record: EnvironmentRecord | null, index: number): boolean {
  return record?.steps.every(({ phase }, at) => at <= index || phase !== 'pending') ?? false
}

/** Whether the machine was ready once. One that was put back was, although its guest is not its own yet. */
export function isProvisioned(record: EnvironmentRecord): boolean {
  return record.steps.every((step) => step.name === 'own_identity' || isDone(step))
}

/** Whether the machine's disk stands on a snapshot's. */
export function isFromSnapshot({ startedFrom }: EnvironmentRecord): boolean {
  return startedFrom !== null && startedFrom.from !== 'image'
}
