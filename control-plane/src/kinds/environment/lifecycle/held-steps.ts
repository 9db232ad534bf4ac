import { createHash } from 'node:crypto'
import {
  isDone,
  type ProvisioningPlan,
  type ProvisioningStepName,
  planSteps,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import { assertNever, canonicalJson } from '@hearth/foundation'

/** What each done step of an environment did, as a digest by the step's key; not those that every machine does itself. */
export function stepDigests(plan: ProvisioningPlan, steps: readonly StepStatus[]): Record<string, string> {
  const done = new Set(steps.filter(isDone).map(stepKey))
  return Object.fromEntries(Object.entries(digestsOf(plan)).filter(([key]) => done.has(key)))
}

/** The steps of a plan that a snapshot holds: those that were done and would do the same again. */
export function heldSteps(plan: ProvisioningPlan, held: Readonly<Record<string, string>>): string[] {
  return Object.entries(digestsOf(plan)).flatMap(([key, digest]) => (held[key] === digest ? [key] : []))
}

function digestsOf(plan: ProvisioningPlan): Record<string, string> {
  return Object.fromEntries(
    planSteps(plan).flatMap((step) => {
      const does = workOf(plan, step)
      return does === null ? [] : [[stepKey(step), digest(does)]]
    }),
  )
}

const digest = (value: unknown) =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16)

/** What a step does, as the plan says it; null for one that makes the machine itself. */
function workOf(
  plan: ProvisioningPlan,
  step: { name: ProvisioningStepName; repository: string | null },
): unknown {
  const repository = plan.repositories.find(({ name }) => name === step.repository)
  switch (step.name) {
    case 'create_vm':
    case 'own_identity':
    case 'ensure_server':
      return null
    case 'set_env_vars':
      return { variables: plan.variables, secretNames: plan.secretNames }
    case 'clone_repo':
    case 'init_repo':
      return { url: repository?.url, branch: repository?.branch }
    case 'project_setup':
      return plan.projectSetup
    case 'repo_setup':
      return repository?.setup
    case 'warm_pool_setup':
      return plan.warmPoolSetup
    default:
      return assertNever(step.name)
  }
}
