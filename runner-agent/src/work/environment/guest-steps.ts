import {
  type Command,
  type ProvisioningPlan,
  type ProvisioningStepName,
  type RepositoryHooks,
  repositoryHookFiles,
  type StepName,
  stepDeadlineSeconds,
  stepKey,
  stepNames,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { GuestCommand, GuestStep } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'
import { cloneCommand } from './clone.ts'

export type StepDeadlines = Partial<Record<StepName, number>>

/** Time limit of a step in seconds: its own deadline, or the sum of its commands' limits where that is more. */
export function stepLimitSeconds(
  name: StepName,
  commands: readonly { timeoutSeconds: number | null }[],
  deadlines: StepDeadlines,
): number {
  const asked = commands.reduce((sum, { timeoutSeconds }) => sum + (timeoutSeconds ?? 0), 0)
  return Math.max(deadlines[name] ?? stepDeadlineSeconds[name], asked)
}

/** The steps of a plan that run as a script in the guest. */
export type ScriptStepName = Exclude<ProvisioningStepName, NativeStepName>
type NativeStepName = (typeof nativeSteps)[number]
const nativeSteps = ['create_vm', 'own_identity', 'ensure_server', 'set_env_vars'] as const

export function isScriptStep<Step extends { name: StepName }>(
  step: Step,
): step is Step & { name: ScriptStepName } {
  const isOfPlan = stepNames.some((name) => name === step.name)
  return isOfPlan && !nativeSteps.some((name) => name === step.name)
}

/** The name of a step in the guest's ledger: each try of a plan runs it anew. */
export function keyInGuest(step: { name: StepName; repository: string | null }, generation: number): string {
  return `${stepKey(step)}-${generation}`
}

/**
 * The guest's script for a step of a plan. `hooks` are those found in the step's repository; the last step also syncs
 * the disk.
 */
export function guestStep(
  plan: ProvisioningPlan,
  step: { name: ScriptStepName; repository: string | null },
  generation: number,
  deadlines: StepDeadlines,
  {
    hooks = { kind: 'none' },
    syncs = false,
    fromSnapshot = false,
  }: { hooks?: RepositoryHooks; syncs?: boolean; fromSnapshot?: boolean } = {},
): GuestStep {
  const repository = plan.repositories.find(({ name }) => name === step.repository)
  const repositoryFolder = `/home/${step.repository ?? ''}`
  const { folder, commands, onlyWithExecutable } = ((): Pick<
    GuestStep,
    'folder' | 'commands' | 'onlyWithExecutable'
  > => {
    switch (step.name) {
      case 'clone_repo':
        return {
          folder: '/home',
          commands: repository === undefined ? [] : [cloneCommand(repository, fromSnapshot)],
          onlyWithExecutable: null,
        }
      case 'init_repo':
        return { folder: repositoryFolder, ...initCommands(hooks) }
      case 'project_setup':
        return { folder: '/home', commands: plan.projectSetup.map(toGuest), onlyWithExecutable: null }
      case 'repo_setup':
        return {
          folder: repositoryFolder,
          commands: (repository?.setup ?? []).map(toGuest),
          onlyWithExecutable: null,
        }
      case 'warm_pool_setup':
        return { folder: '/home', commands: plan.warmPoolSetup.map(toGuest), onlyWithExecutable: null }
      default:
        return assertNever(step.name)
    }
  })()
  const limitSeconds = stepLimitSeconds(step.name, commands, deadlines)
  return { key: keyInGuest(step, generation), folder, commands, onlyWithExecutable, limitSeconds, syncs }
}

/** Without hooks the step has no script and is skipped. */
function initCommands(hooks: RepositoryHooks): Pick<GuestStep, 'commands' | 'onlyWithExecutable'> {
  const { script } = repositoryHookFiles
  switch (hooks.kind) {
    case 'commands':
      return { commands: hooks.commands.map(toGuest), onlyWithExecutable: null }
    case 'fault': {
      const message = `${hooks.file} does not fit: ${hooks.message}`
      const command = `printf '%s\\n' ${quote(message)}; exit 1`
      return { commands: [{ name: hooks.file, command, timeoutSeconds: null }], onlyWithExecutable: null }
    }
    case 'script':
    case 'none':
      return {
        commands: [{ name: script, command: `exec ./${script}`, timeoutSeconds: null }],
        onlyWithExecutable: script,
      }
    default:
      return assertNever(hooks)
  }
}

function toGuest({ name, command, timeoutSeconds }: Command): GuestCommand {
  return { name, command, timeoutSeconds: timeoutSeconds ?? null }
}
