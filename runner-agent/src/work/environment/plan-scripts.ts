import {
  type EnvironmentOrder,
  type RepositoryHooks,
  repositoryHookFiles,
  repositoryHooks,
  type StepStatus,
} from '@hearth/contract'
import type { Guest, GuestStep } from '../../guest/guest.ts'
import { credentialFiles } from './clone.ts'
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
      if (has('init_repo')) hooks.set(repository.name, await this.hooksOf(repository.name, signal))
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

  private async hooksOf(repository: string, signal: AbortSignal): Promise<RepositoryHooks> {
    const { hearth, script, capy } = repositoryHookFiles
    const paths = [hearth, script, capy].map((file) => `/home/${repository}/${file}`)
    const texts = await this.options.guest.readFiles(paths, signal)
    return repositoryHooks({ hearth: texts[0] ?? null, script: texts[1] ?? null, capy: texts[2] ?? null })
  }
}

function ofPlan(status: StepStatus): ScriptStep {
  if (isScriptStep(status)) return status
  throw new Error(`${status.name} is no script of a plan`)
}
