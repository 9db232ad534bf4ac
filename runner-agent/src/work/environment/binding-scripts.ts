import {
  type BindingOrder,
  type EnvironmentOrder,
  type Failure,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import type { Guest, GuestCommand, GuestStep, StepOutcome } from '../../guest/guest.ts'
import { checkoutCommand, missingReferenceExit } from './checkout.ts'
import { credentialFiles } from './clone.ts'
import { type StepDeadlines, stepLimitSeconds } from './guest-steps.ts'
import { hostNameCommand } from './host-name-command.ts'
import type { StepScripts } from './script-run.ts'
import { startCommand } from './start-command.ts'
import { outcomeFailure } from './step-failure.ts'

export interface BindingScriptsOptions {
  order: EnvironmentOrder
  binding: BindingOrder
  guest: Guest
  /** The project's secrets: some open repositories. */
  secrets: Readonly<Record<string, string>>
  deadlines: StepDeadlines
}

/** The scripts that bind a machine to its claim. */
export class BindingScripts implements StepScripts {
  constructor(private readonly options: BindingScriptsOptions) {}

  planned(status: StepStatus): GuestStep {
    return this.step(status, false)
  }

  async prepare(
    steps: readonly { status: StepStatus; syncs: boolean }[],
    signal: AbortSignal,
  ): Promise<GuestStep[]> {
    const { order, guest, secrets } = this.options
    for (const { status } of steps) {
      const repository = order.plan.repositories.find(({ name }) => name === status.repository)
      if (repository === undefined) continue
      for (const { path, content } of credentialFiles(repository, secrets))
        await guest.writeFileForStep(this.key(status), path, content, order, signal)
    }
    return steps.map(({ status, syncs }) => this.step(status, syncs))
  }

  failure(
    status: StepStatus,
    step: GuestStep,
    outcome: Extract<StepOutcome, { kind: 'failed' | 'lost' }>,
    lastLines: string[],
  ): Failure {
    const failure = outcomeFailure(status, step, outcome, lastLines)
    if (status.name !== 'checkout_repo') return failure
    const isMissing = outcome.kind === 'failed' && outcome.exitCode === missingReferenceExit
    const message = isMissing
      ? `repository ${status.repository} has no branch, tag, commit or pull request "${this.referenceOf(status)}"`
      : failure.message
    return { ...failure, code: failure.code === 'command_failed' ? 'clone_failed' : failure.code, message }
  }

  private step(status: StepStatus, syncs: boolean): GuestStep {
    const commands = [this.commandOf(status)]
    return {
      key: this.key(status),
      folder: '/home',
      commands,
      limitSeconds: stepLimitSeconds(status.name, commands, this.options.deadlines),
      onlyWithExecutable: null,
      syncs,
    }
  }

  private commandOf(status: StepStatus): GuestCommand {
    const { order, binding } = this.options
    switch (status.name) {
      case 'bind_hostname':
        return hostNameCommand(binding.hostname ?? '')
      case 'start_command':
        return startCommand(binding.startCommand ?? '')
      case 'checkout_repo': {
        const repository = order.plan.repositories.find(({ name }) => name === status.repository)
        // The project may have lost it after the machine was made with it, or before.
        if (repository === undefined) return absent(status.repository ?? '')
        return checkoutCommand(repository, this.referenceOf(status))
      }
      default:
        throw new Error(`${status.name} is no script of a binding`)
    }
  }

  private referenceOf({ repository }: StepStatus): string {
    return this.options.binding.repositories.find(({ name }) => name === repository)?.ref ?? ''
  }

  /** The name of a step in the guest's ledger: each try runs it anew. */
  private key(status: StepStatus): string {
    const { claimId, attempt } = this.options.binding
    return `${stepKey(status)}-${claimId}-${attempt}`
  }
}

function absent(repository: string): GuestCommand {
  const command = `printf 'This machine was made without the repository %s.\\n' '${repository.replaceAll("'", '')}' >&2; exit 1`
  return { name: `git checkout of ${repository}`, command, timeoutSeconds: null }
}
