import type { ClaimPhase } from './claim.ts'
import { type EnvironmentPhase, environmentPhases, environmentPhaseTable } from './environment-phase.ts'
import type { JobPhase } from './job.ts'
import type { Project } from './project.ts'
import type { RunnerPhase } from './runner.ts'
import { bootAttempts, type WarmPoolPhase } from './warm-pool.ts'

/** What a phase waits for, and for how long; or why it may wait for ever. */
export type Wait =
  /** Nothing is waited for: only a wish or an event moves it on. */
  | { waitsFor: null }
  /** After so many seconds the cause is recorded and the phase ends, or what it waits for is asked again. */
  | { waitsFor: string; deadlineSeconds: number }
  /** What is waited for has a deadline of its own, or is a person's to decide. */
  | { waitsFor: string; deadlineSeconds: null; because: string }

const rests: Wait = { waitsFor: null }

/** How long a project that is being deleted waits before it says what keeps it, in seconds. */
export const projectDeletingSeconds = 900

/** Every phase of every kind that has phases: a phase that is not here does not compile. */
export const waitingTable: {
  Environment: Readonly<Record<EnvironmentPhase, Wait>>
  Claim: Readonly<Record<ClaimPhase, Wait>>
  WarmPool: Readonly<Record<WarmPoolPhase, Wait>>
  Runner: Readonly<Record<RunnerPhase, Wait>>
  Project: Readonly<Record<Project['status']['phase'], Wait>>
  Job: Readonly<Record<JobPhase, Wait>>
} = {
  Environment: Object.fromEntries(environmentPhases.map((phase) => [phase, waitOf(phase)])) as Record<
    EnvironmentPhase,
    Wait
  >,
  Claim: {
    pending: {
      waitsFor: 'the machine that is made for it',
      deadlineSeconds: null,
      because: 'it ends with its machine, and every phase of that has a deadline',
    },
    bound: rests,
    failed: rests,
    released: rests,
  },
  WarmPool: {
    filling: {
      waitsFor: 'its machines to be ready',
      deadlineSeconds: null,
      because: `each machine has its own deadlines, and after ${bootAttempts} failures in a row the pool stops and says why`,
    },
    ready: rests,
    cleared: rests,
    disabled: rests,
    failed: rests,
    deleting: {
      waitsFor: 'its unclaimed machines to be let go',
      deadlineSeconds: null,
      because: 'it only asks for their deletion, which waits for nobody; each deletion has its own deadline',
    },
  },
  Runner: {
    created: {
      waitsFor: 'its agent to register',
      deadlineSeconds: null,
      because: 'a person starts the agent, and until then nothing is placed on it and nothing waits for it',
    },
    active: rests,
    degraded: {
      waitsFor: 'a probe: the next machine that boots on it',
      deadlineSeconds: null,
      because: 'probes go on, at most half an hour apart, and no machine waits for this runner',
    },
    draining: {
      waitsFor: 'its claims to be released',
      deadlineSeconds: null,
      because: 'a claimed machine is its claimant’s for as long as they want it',
    },
    offline: {
      waitsFor: 'its agent to be heard again',
      deadlineSeconds: null,
      because:
        'what it held is settled at once when its lease ends: only claimed machines wait, as their project says',
    },
    deleted: rests,
  },
  Project: {
    active: rests,
    deleting: { waitsFor: 'its pools and machines to be gone', deadlineSeconds: projectDeletingSeconds },
  },
  Job: {
    running: {
      waitsFor: 'the phase of its machine to change',
      deadlineSeconds: null,
      because: 'it is the record of that phase and ends with it',
    },
    succeeded: rests,
    failed: rests,
    cancelled: rests,
  },
}

function waitOf(phase: EnvironmentPhase): Wait {
  const { waitsFor, deadlineSeconds } = environmentPhaseTable[phase]
  return waitsFor === null || deadlineSeconds === null ? rests : { waitsFor, deadlineSeconds }
}
