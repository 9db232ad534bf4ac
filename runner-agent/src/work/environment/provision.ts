import {
  type EnvironmentOrder,
  type Failure,
  type Identity,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import { assertNever, type Clock } from '@hearth/foundation'
import { environmentFile } from '../../guest/environment-file.ts'
import type { Guest, StepOutcome } from '../../guest/guest.ts'
import { GuestUnreachable } from '../../guest/guest.ts'
import { identityFaults } from '../../guest/identity.ts'
import type { GivenIdentity } from '../../host/host.ts'
import { Deadline } from './deadline.ts'
import { guestStep, type StepDeadlines, stepLimitSeconds } from './guest-steps.ts'
import { outcomeFailure } from './step-failure.ts'
import type { StepOutput } from './step-output.ts'

/** How much longer than the guest's own limit the agent waits for the guest to say so. */
const graceSeconds = 60

export interface ProvisionContext {
  order: EnvironmentOrder
  /** The generation provisioning began with. */
  generation: number
  given: GivenIdentity
  guest: Guest
  secrets: Readonly<Record<string, string>>
  output: StepOutput
  deadlines: StepDeadlines
  clock: Clock
  /** Aborts when something newer is to be done. */
  interrupted: AbortSignal
  readConsole(): Promise<string[]>
}

export type ProvisionResult =
  | {
      kind: 'succeeded' | 'skipped'
      times: { startedAt: number; finishedAt: number } | null
      identity?: Identity
    }
  | { kind: 'failed'; failure: Failure; exitCode: number | null }
  | { kind: 'interrupted' }

/** Takes one provisioning step inside the guest to its end. */
export async function provision(status: StepStatus, context: ProvisionContext): Promise<ProvisionResult> {
  const seconds = limitSeconds(status, context)
  const began = status.startedAt === null ? context.clock.now().getTime() : Date.parse(status.startedAt)
  const left = Math.max(1, began + seconds * 1000 - context.clock.now().getTime())
  using deadline = new Deadline(left, context.interrupted)
  try {
    return await attempt(status, context, deadline.signal)
  } catch (thrown) {
    if (context.interrupted.aborted) return { kind: 'interrupted' }
    if (!deadline.hasPassed && !(thrown instanceof GuestUnreachable)) throw thrown
    const why = thrown instanceof GuestUnreachable ? `: ${thrown.message}` : ''
    if (status.name === 'ensure_server') {
      const message = `the guest did not answer SSH within ${seconds} s${why}`
      return failed('guest_unreachable', message, status, await context.readConsole())
    }
    const message = `${stepKey(status)} was not over after ${seconds} s${why}`
    return failed('deadline_passed', message, status, context.output.lastLines)
  }
}

function limitSeconds(status: StepStatus, context: ProvisionContext): number {
  switch (status.name) {
    case 'create_vm':
    case 'ensure_server':
    case 'set_env_vars':
      return stepLimitSeconds(status.name, [], context.deadlines)
    default:
      return (
        guestStep(context.order.plan, { ...status, name: status.name }, context.generation, context.deadlines)
          .limitSeconds + graceSeconds
      )
  }
}

async function attempt(
  status: StepStatus,
  context: ProvisionContext,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const { guest, order } = context
  switch (status.name) {
    case 'create_vm':
      throw new Error('create_vm is the host’s step')
    case 'ensure_server':
      return ensureServer(context, signal)
    case 'set_env_vars': {
      const content = environmentFile({ ...order.plan.variables, ...context.secrets })
      await guest.writeEnvironmentFile(content, signal)
      return { kind: 'succeeded', times: null }
    }
    case 'clone_repo':
    case 'init_repo':
    case 'project_setup':
    case 'repo_setup':
    case 'warm_pool_setup': {
      const step = guestStep(
        order.plan,
        { ...status, name: status.name },
        context.generation,
        context.deadlines,
      )
      const outcome: StepOutcome = await guest.runStep(step, context.output.add, signal)
      context.output.end()
      switch (outcome.kind) {
        case 'succeeded':
        case 'skipped':
          return { kind: outcome.kind, times: outcome.times }
        case 'failed':
        case 'lost': {
          const failure = outcomeFailure(status, step, outcome, context.output.lastLines)
          return { kind: 'failed', failure, exitCode: outcome.kind === 'failed' ? outcome.exitCode : null }
        }
        default:
          return assertNever(outcome)
      }
    }
    default:
      return assertNever(status.name)
  }
}

/** Waits for the guest and holds its identity against what it was given. */
export async function ensureServer(
  context: Pick<ProvisionContext, 'guest' | 'given' | 'clock'>,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const evidence = await context.guest.identify(signal)
  const faults = identityFaults(context.given, evidence)
  if (faults.length > 0) {
    return {
      kind: 'failed',
      exitCode: null,
      failure: {
        code: 'identity_mismatch',
        message: `the guest is not who it should be: ${faults.join('; ')}`,
        step: 'ensure_server',
      },
    }
  }
  return {
    kind: 'succeeded',
    times: null,
    identity: { ...evidence, checkedAt: context.clock.now().toISOString() },
  }
}

function failed(
  code: Failure['code'],
  message: string,
  status: StepStatus,
  lastLines?: string[],
): ProvisionResult {
  const end = lastLines === undefined ? {} : { lastLines }
  return { kind: 'failed', exitCode: null, failure: { code, message, step: status.name, ...end } }
}
