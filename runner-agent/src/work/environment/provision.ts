import {
  type EnvironmentOrder,
  type Failure,
  type Identity,
  type StepName,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import { assertNever, type Clock, Deadline } from '@hearth/foundation'
import { environmentFile, environmentFilePath } from '../../guest/environment-file.ts'
import type { Guest } from '../../guest/guest.ts'
import { GuestMisbehaved, GuestUnreachable } from '../../guest/guest.ts'
import { identityFaults } from '../../guest/identity.ts'
import { type Authority, StaleAuthority } from '../../host/authority.ts'
import type { GivenIdentity } from '../../host/machine.ts'
import { environmentSecretNames } from './clone.ts'
import { type StepDeadlines, stepLimitSeconds } from './guest-steps.ts'

export interface ProvisionContext {
  order: EnvironmentOrder
  authority: Authority
  given: GivenIdentity
  guest: Guest
  secrets: Readonly<Record<string, string>>
  deadlines: StepDeadlines
  clock: Clock
  /** Aborts when the current step is interrupted. */
  interrupted: AbortSignal
  /** Whether no step comes after this one. */
  isLast: boolean
  /** Whether the guest went on from memory: it was set up before, and synced as often as its origin did. */
  resumed: boolean
  readConsole(): Promise<string[]>
}

export type ProvisionResult =
  /** `note` is a text for a person. */
  | { kind: 'succeeded'; identity?: Identity; note?: string }
  | { kind: 'failed'; failure: Failure; exitCode: number | null }
  | { kind: 'interrupted' }

/** The steps in a guest that are not scripts. */
type GuestStepName = 'ensure_server' | 'set_env_vars'

/** Runs one of these steps to its end. */
export async function provision(
  status: StepStatus & { name: GuestStepName },
  context: ProvisionContext,
): Promise<ProvisionResult> {
  const seconds = stepLimitSeconds(status.name, [], context.deadlines)
  const began = status.startedAt === null ? context.clock.now().getTime() : Date.parse(status.startedAt)
  const left = Math.max(1, began + seconds * 1000 - context.clock.now().getTime())
  using deadline = new Deadline(left, context.interrupted)
  const progress = { identified: false }
  try {
    return await attempt(status.name, context, deadline.signal, progress)
  } catch (thrown) {
    if (thrown instanceof StaleAuthority || thrown instanceof GuestMisbehaved) throw thrown
    if (context.interrupted.aborted) return { kind: 'interrupted' }
    if (!deadline.hasPassed && !(thrown instanceof GuestUnreachable)) throw thrown
    const why = thrown instanceof GuestUnreachable ? `: ${thrown.message}` : ''
    if (progress.identified) {
      const message = `the guest answered, but had not set itself up (cloud-init, root file system) within ${seconds} s${why}`
      return failed('deadline_passed', message, status, await context.readConsole())
    }
    if (status.name === 'ensure_server') {
      const message = `the guest did not answer SSH within ${seconds} s${why}`
      return failed('guest_unreachable', message, status, await context.readConsole())
    }
    const message = `${stepKey(status)} was not over after ${seconds} s${why}`
    return failed('deadline_passed', message, status)
  }
}

async function attempt(
  name: GuestStepName,
  context: ProvisionContext,
  signal: AbortSignal,
  progress: { identified: boolean },
): Promise<ProvisionResult> {
  const { guest, order, secrets } = context
  switch (name) {
    case 'ensure_server': {
      const result = await ensureServer(context, 'ensure_server', signal)
      if (result.kind !== 'succeeded' || context.resumed) return result
      progress.identified = true
      const note = await guest.awaitOwnSetUp(order.plan.diskGibibytes, signal)
      if (context.isLast) await guest.sync(signal)
      return { ...result, note }
    }
    case 'set_env_vars': {
      const names = new Set(environmentSecretNames(order.plan))
      const given = Object.entries(secrets).filter(([secret]) => names.has(secret))
      const content = environmentFile({ ...order.plan.variables, ...Object.fromEntries(given) })
      await context.authority.assertHeld()
      await guest.writePrivateFile(environmentFilePath, content, order, signal)
      if (context.isLast) await guest.sync(signal)
      return { kind: 'succeeded' }
    }
    default:
      return assertNever(name)
  }
}

export type ServerContext = Pick<ProvisionContext, 'guest' | 'given' | 'clock'> & {
  /** The host name from before, while it is being changed. */
  formerHostname?: string | null
}

/** Waits for the guest and compares its identity with the one it was given. */
export async function ensureServer(
  context: ServerContext,
  step: StepName,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const evidence = await context.guest.identify(signal)
  const faults = identityFaults(context.given, evidence, context.formerHostname)
  if (faults.length > 0) {
    return {
      kind: 'failed',
      exitCode: null,
      failure: {
        code: 'identity_mismatch',
        message: `the guest is not who it should be: ${faults.join('; ')}`,
        step,
      },
    }
  }
  return {
    kind: 'succeeded',
    identity: { ...evidence, checkedAt: context.clock.now().toISOString() },
  }
}

/** The same for a provisioned machine, within a time limit in seconds after its start. */
export async function checkServer(
  context: ServerContext,
  seconds: number,
  interrupted: AbortSignal,
): Promise<ProvisionResult> {
  using deadline = new Deadline(seconds * 1000, interrupted)
  try {
    return await ensureServer(context, 'ensure_server', deadline.signal)
  } catch (thrown) {
    if (!deadline.hasPassed) throw thrown
    const message = `the guest did not answer SSH within ${seconds} s of its start`
    return { kind: 'failed', exitCode: null, failure: { code: 'guest_unreachable', message } }
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
