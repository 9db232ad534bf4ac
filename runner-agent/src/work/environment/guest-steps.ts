import {
  type Command,
  type ProvisioningPlan,
  type StepName,
  stepDeadlineSeconds,
  stepKey,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { GuestCommand, GuestStep } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'

export type StepDeadlines = Partial<Record<StepName, number>>

/** Seconds a step may take: its own deadline, or what its commands ask for where that is more. */
export function stepLimitSeconds(
  name: StepName,
  commands: readonly { timeoutSeconds: number | null }[],
  deadlines: StepDeadlines,
): number {
  const asked = commands.reduce((sum, { timeoutSeconds }) => sum + (timeoutSeconds ?? 0), 0)
  return Math.max(deadlines[name] ?? stepDeadlineSeconds[name], asked)
}

/** What the guest is to run for a step of a plan. Not for the steps that are no script. */
export function guestStep(
  plan: ProvisioningPlan,
  step: {
    name: Exclude<StepName, 'create_vm' | 'ensure_server' | 'set_env_vars'>
    repository: string | null
  },
  generation: number,
  deadlines: StepDeadlines,
): GuestStep {
  const repository = plan.repositories.find(({ name }) => name === step.repository)
  const repositoryFolder = `/home/${step.repository ?? ''}`
  const { folder, commands, onlyWithExecutable } = ((): Omit<GuestStep, 'key' | 'limitSeconds'> => {
    switch (step.name) {
      case 'clone_repo': {
        const branch = repository?.branch == null ? '' : `--branch ${quote(repository.branch)} `
        const command = `git clone ${branch}-- ${quote(repository?.url ?? '')} ${quote(repositoryFolder)}`
        const name = `git clone ${withoutCredentials(repository?.url ?? '')}`
        return {
          folder: '/home',
          commands: [{ name, command, timeoutSeconds: null }],
          onlyWithExecutable: null,
        }
      }
      case 'init_repo':
        return {
          folder: repositoryFolder,
          commands: [{ name: initHook, command: `exec ./${initHook}`, timeoutSeconds: null }],
          onlyWithExecutable: initHook,
        }
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
  return { key: `${stepKey(step)}-${generation}`, folder, commands, onlyWithExecutable, limitSeconds }
}

/** A repository's own hook, run after it is cloned. */
const initHook = '.hearth/init'

function toGuest({ name, command, timeoutSeconds }: Command): GuestCommand {
  return { name, command, timeoutSeconds: timeoutSeconds ?? null }
}

const credentials = /^([a-z]+:\/\/)([^/@]*)@/

/** A URL as it may be shown. */
export function withoutCredentials(url: string): string {
  return url.replace(credentials, (_, scheme: string, user: string) =>
    user.includes(':') ? scheme : `${scheme}${user}@`,
  )
}

/** The password in a URL, which must not be shown either. */
export function passwordOf(url: string): string[] {
  const user = credentials.exec(url)?.[2] ?? ''
  const colon = user.indexOf(':')
  return colon < 0 ? [] : [user.slice(colon + 1)]
}
