import type { EnvironmentOrder, RepositoryHooks, StepStatus } from '@hearth/contract'
import type { Guest, GuestStep } from '../../guest/guest.ts'
import { credentialFiles } from './clone.ts'
import { type Declarations, readFiles } from './declarations.ts'
import {
  guestStep,
  isScriptStep,
  keyInGuest,
  type ScriptStepName,
  type StepDeadlines,
} from './guest-steps.ts'
import type { StepScripts } from './script-run.ts'
import { outcomeFailure } from './step-failure.ts'

export interface PlanScriptsOptions {
  order: EnvironmentOrder
  /** Generation with which provisioning began. */
  generation: number
  /** Whether repositories may be there already, from a snapshot. */
  fromSnapshot: boolean
  guest: Guest
  secrets: Readonly<Record<string, string>>
  deadlines: StepDeadlines
  /** Where what the repositories declare is written down. */
  declarations: Declarations
}

type ScriptStep = StepStatus & { name: ScriptStepName }

/** The scripts of a plan's steps. */
export class PlanScripts implements StepScripts {
  readonly failure = outcomeFailure

  constructor(private readonly options: PlanScriptsOptions) {}

  planned(status: StepStatus): GuestStep {
    const { order, generation, deadlines, fromSnapshot } = this.options
    return guestStep(order.plan, ofPlan(status), generation, deadlines, { fromSnapshot })
  }

  async prepare(
    steps: readonly { status: StepStatus; syncs: boolean }[],
    signal: AbortSignal,
  ): Promise<GuestStep[]> {
    const { guest, order, generation, deadlines, secrets, fromSnapshot } = this.options
    const hooks = new Map<string, RepositoryHooks>()
    for (const repository of order.plan.repositories) {
      const has = (name: ScriptStepName) =>
        steps.some(({ status }) => status.name === name && status.repository === repository.name)
      if (has('clone_repo')) {
        for (const { path, content } of credentialFiles(repository, secrets)) {
          const key = keyInGuest({ name: 'clone_repo', repository: repository.name }, generation)
          await guest.writeFileForStep(key, path, content, order, signal)
        }
      }
      if (has('init_repo')) hooks.set(repository.name, await readFiles(repository.name, this.options, signal))
    }
    return steps.map(({ status, syncs }) => {
      const found = hooks.get(status.repository ?? '')
      return guestStep(order.plan, ofPlan(status), generation, deadlines, {
        syncs,
        fromSnapshot,
        ...(found === undefined ? {} : { hooks: found }),
      })
    })
  }
}

function ofPlan(status: StepStatus): ScriptStep {
  if (isScriptStep(status)) return status
  throw new Error(`${status.name} is no script of a plan`)
}
