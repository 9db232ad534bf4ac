import {
  type BootstrapPolicy,
  isProgramFaulty,
  type PipelineInitial,
  type PipelineProgramStatus,
  type PipelineRefusal,
  type PipelineResources,
  type PipelineResourcesDesired,
  type PipelineRuntime,
  type PipelineRuntimeDesired,
  type PipelineStorage,
  pipelineRuntimeDesiredTable,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

/** What of a pipeline a request is judged by. */
export interface JudgedPipeline {
  resources: PipelineResources
  desired: PipelineResourcesDesired
  runtime: PipelineRuntime | null
  desiredRuntime: PipelineRuntimeDesired | null
  program: PipelineProgramStatus
  storage: PipelineStorage
  hasError: boolean
  initial: PipelineInitial | null
  bootstrapPolicy: BootstrapPolicy | null
  takesStandby: boolean
}

export interface BootstrapOptions {
  silentBootstrap: boolean
  concurrentBootstrap: boolean
}
export type PipelineRequest =
  | ({
      do: 'start'
      initial: PipelineInitial
      bootstrapPolicy: BootstrapPolicy
      dismissError: boolean
    } & BootstrapOptions)
  | { do: 'stop'; force: boolean }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'activate'; initial: 'running' | 'paused' }
  | ({ do: 'approve' } & BootstrapOptions)
  | { do: 'clear' }
  | { do: 'compile' }
  | { do: 'dismiss-error' }
  /** With the names of the fields that would change and that what is stored depends on. */
  | { do: 'edit'; storageBound: readonly string[] }
  | { do: 'delete' }

/** What a request changes; empty where all is so already. */
export interface PipelineChanges {
  desired?: PipelineResourcesDesired
  desiredRuntime?: PipelineRuntimeDesired
  start?: { initial: PipelineInitial; bootstrapPolicy: BootstrapPolicy } & BootstrapOptions
  storage?: 'clearing'
  program?: 'pending'
  isErrorDismissed?: true
  approval?: BootstrapOptions
}
export type Judgement = { changes: PipelineChanges } | { refusal: PipelineRefusal; because: string }

const unchanged: Judgement = { changes: {} }
const refuse = (refusal: PipelineRefusal, because: string): Judgement => ({ refusal, because })
const isFullyStopped = ({ resources, desired }: JudgedPipeline) =>
  resources === 'stopped' && desired === 'stopped'

/** What a request does to a pipeline, or why it is refused. */
export function judge(pipeline: JudgedPipeline, request: PipelineRequest): Judgement {
  switch (request.do) {
    case 'start':
      return judgeStart(pipeline, request)
    case 'stop':
      return judgeStop(pipeline, request.force)
    case 'pause':
      return judgeWish(pipeline, 'paused')
    case 'resume':
      return judgeWish(pipeline, 'running')
    case 'activate':
      return judgeActivate(pipeline, request.initial)
    case 'approve':
      return judgeApprove(pipeline, request)
    case 'clear':
      return judgeClear(pipeline)
    case 'compile':
      if (!isFullyStopped(pipeline))
        return refuse('edit_only_when_stopped', 'it can be compiled while it is stopped only: stop it first')
      return pipeline.program === 'success' || isProgramFaulty(pipeline.program)
        ? { changes: { program: 'pending' } }
        : unchanged
    case 'dismiss-error':
      if (!pipeline.hasError) return unchanged
      return isFullyStopped(pipeline)
        ? { changes: { isErrorDismissed: true } }
        : refuse('dismiss_only_when_stopped', 'its error can be dismissed when it has stopped')
    case 'edit':
      if (!isFullyStopped(pipeline))
        return refuse('edit_only_when_stopped', 'it can be changed while it is stopped only: stop it first')
      return request.storageBound.length > 0 && pipeline.storage !== 'cleared'
        ? refuse(
            'edit_needs_cleared_storage',
            `what it has stored depends on ${request.storageBound.join(', ')}: clear its storage first`,
          )
        : unchanged
    case 'delete':
      if (!isFullyStopped(pipeline))
        return refuse('delete_only_when_stopped', 'it is not fully stopped: stop it first')
      return pipeline.storage === 'cleared'
        ? unchanged
        : refuse('delete_needs_cleared_storage', 'it has stored something: clear its storage first')
    default:
      return assertNever(request)
  }
}

function judgeStart(
  pipeline: JudgedPipeline,
  {
    initial,
    bootstrapPolicy,
    dismissError,
    silentBootstrap,
    concurrentBootstrap,
  }: Extract<PipelineRequest, { do: 'start' }>,
): Judgement {
  const exclusive = judgeOptions({ silentBootstrap, concurrentBootstrap })
  if (exclusive !== null) return exclusive
  if (initial === 'standby' && !pipeline.takesStandby)
    return refuse(
      'standby_not_taken',
      'it is not set up to follow what another one stores: start it otherwise',
    )
  if (pipeline.desired === 'provisioned') {
    // It would be lost: what is being suspended stops.
    if (isBeingSuspended(pipeline))
      return refuse('still_stopping', 'it is being suspended: start it when it has stopped')
    if (pipeline.initial !== initial)
      return refuse('initial_immutable', `it was started as ${pipeline.initial}: stop it first`)
    if (pipeline.bootstrapPolicy !== bootstrapPolicy)
      return refuse(
        'bootstrap_policy_immutable',
        `it was started with the bootstrap policy ${pipeline.bootstrapPolicy}: stop it first`,
      )
    return unchanged
  }
  if (pipeline.resources !== 'stopped')
    return refuse('still_stopping', 'it is still stopping: start it when it has stopped')
  if (pipeline.hasError && !dismissError)
    return refuse('undismissed_error', 'it stopped with an error: dismiss that first')
  if (pipeline.storage === 'clearing')
    return refuse('clearing', 'its storage is being cleared: start it when that is done')
  if (isProgramFaulty(pipeline.program))
    return refuse('program_faulty', 'its program does not compile: change that first')
  return {
    changes: {
      desired: 'provisioned',
      start: { initial, bootstrapPolicy, silentBootstrap, concurrentBootstrap },
      ...(pipeline.hasError ? { isErrorDismissed: true } : {}),
    },
  }
}

const isBeingSuspended = ({ resources, runtime, desiredRuntime }: JudgedPipeline) =>
  resources === 'provisioned' && (desiredRuntime === 'suspended' || runtime === 'suspended')

function judgeOptions({ silentBootstrap, concurrentBootstrap }: BootstrapOptions): Judgement | null {
  return silentBootstrap && concurrentBootstrap
    ? refuse(
        'bootstrap_options_exclude_each_other',
        'a bootstrap is silent or concurrent, not both: give one of the two',
      )
    : null
}

/** Ends it or, where it runs and that is wanted, has it store where it is and then end. */
function judgeStop(pipeline: JudgedPipeline, force: boolean): Judgement {
  if (pipeline.desired === 'stopped') return unchanged
  if (force || pipeline.resources !== 'provisioned') return { changes: { desired: 'stopped' } }
  const { desiredRuntime } = pipeline
  if (desiredRuntime === null || !pipelineRuntimeDesiredTable[desiredRuntime].includes('suspended'))
    return refuse(
      'unsuspendable',
      `one that is to be ${desiredRuntime} has nothing to store: stop it by force`,
    )
  return desiredRuntime === 'suspended' ? unchanged : { changes: { desiredRuntime: 'suspended' } }
}

function judgeWish(pipeline: JudgedPipeline, wish: 'paused' | 'running'): Judgement {
  const absent = judgeMachine(pipeline)
  if (absent !== null) return absent
  const { desiredRuntime } = pipeline
  if (desiredRuntime === wish) return unchanged
  if (desiredRuntime === 'standby')
    return refuse('illegal_change', 'it is a standby: activate it, which says as what it goes on')
  if (desiredRuntime === null || !pipelineRuntimeDesiredTable[desiredRuntime].includes(wish))
    return refuse(
      'illegal_change',
      `one that is to be ${desiredRuntime} cannot be ${wish} before it has stopped`,
    )
  return { changes: { desiredRuntime: wish } }
}

function judgeActivate(pipeline: JudgedPipeline, initial: 'running' | 'paused'): Judgement {
  const absent = judgeMachine(pipeline)
  if (absent !== null) return absent
  if (pipeline.desiredRuntime === 'standby') return { changes: { desiredRuntime: initial } }
  return pipeline.desiredRuntime === initial
    ? unchanged
    : refuse('illegal_change', `it is no standby: it is to be ${pipeline.desiredRuntime}`)
}

function judgeApprove(pipeline: JudgedPipeline, options: BootstrapOptions): Judgement {
  const { silentBootstrap, concurrentBootstrap } = options
  const fault = judgeOptions(options) ?? judgeMachine(pipeline)
  if (fault !== null) return fault
  return pipeline.runtime === 'awaiting_approval'
    ? { changes: { approval: { silentBootstrap, concurrentBootstrap } } }
    : refuse('nothing_to_approve', 'it does not wait for an approval')
}

function judgeClear(pipeline: JudgedPipeline): Judgement {
  if (pipeline.storage !== 'in_use') return unchanged
  return isFullyStopped(pipeline)
    ? { changes: { storage: 'clearing' } }
    : refuse('clear_only_when_stopped', 'its storage can be cleared when it has stopped')
}

/** A refusal where there is no program that could be told; null where there is. */
function judgeMachine({ resources, desired }: JudgedPipeline): Judgement | null {
  if (resources !== 'provisioned')
    return refuse('not_provisioned', `it is ${resources}: there is no program that could be told`)
  return desired === 'stopped' ? refuse('illegal_change', 'it is about to stop') : null
}
