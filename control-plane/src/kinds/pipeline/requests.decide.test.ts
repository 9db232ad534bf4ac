import { expect, test } from 'vitest'
import { type JudgedPipeline, type Judgement, judge, type PipelineRequest } from './requests.decide.ts'

const base: JudgedPipeline = {
  resources: 'stopped',
  desired: 'stopped',
  runtime: null,
  desiredRuntime: null,
  program: 'success',
  storage: 'cleared',
  hasError: false,
  initial: null,
  bootstrapPolicy: null,
  takesStandby: true,
}
const started = { desired: 'provisioned', initial: 'running', bootstrapPolicy: 'await_approval' } as const
const up = { ...base, ...started, resources: 'provisioned', storage: 'in_use' } as const
const states = {
  new: { ...base, program: 'pending' },
  stopped: { ...base, storage: 'in_use' },
  faulty: { ...base, program: 'check_error' },
  erred: { ...base, hasError: true },
  clearing: { ...base, storage: 'clearing' },
  starting: { ...base, ...started },
  provisioning: { ...base, ...started, resources: 'provisioning', storage: 'in_use' },
  running: { ...up, runtime: 'running', desiredRuntime: 'running' },
  paused: { ...up, runtime: 'paused', desiredRuntime: 'paused' },
  standby: { ...up, initial: 'standby', runtime: 'standby', desiredRuntime: 'standby' },
  awaiting: { ...up, runtime: 'awaiting_approval', desiredRuntime: 'running' },
  suspending: { ...up, runtime: 'running', desiredRuntime: 'suspended' },
  ending: { ...up, desired: 'stopped', runtime: 'running', desiredRuntime: 'running' },
  stopping: { ...base, resources: 'stopping', storage: 'in_use', hasError: true },
} as const satisfies Record<string, JudgedPipeline>

const options = { silentBootstrap: false, concurrentBootstrap: false }
const start = { do: 'start', bootstrapPolicy: 'await_approval', dismissError: false, ...options } as const
const requests = {
  'start running': { ...start, initial: 'running' },
  'start paused': { ...start, initial: 'paused' },
  'start standby': { ...start, initial: 'standby' },
  'start anew': { ...start, initial: 'running', dismissError: true },
  'start reject': { ...start, initial: 'running', bootstrapPolicy: 'reject' },
  stop: { do: 'stop', force: false },
  'stop force': { do: 'stop', force: true },
  pause: { do: 'pause' },
  resume: { do: 'resume' },
  activate: { do: 'activate', initial: 'running' },
  approve: { do: 'approve', ...options },
  clear: { do: 'clear' },
  compile: { do: 'compile' },
  dismiss: { do: 'dismiss-error' },
  edit: { do: 'edit', storageBound: [] },
  'edit bound': { do: 'edit', storageBound: ['runtime.workers'] },
  delete: { do: 'delete' },
} as const satisfies Record<string, PipelineRequest>

/** `=` changes nothing; a refusal is its code, and what changes is after `+`. */
function told(judgement: Judgement): string {
  if ('refusal' in judgement) return judgement.refusal
  const {
    desired,
    desiredRuntime,
    start: begun,
    storage,
    program,
    isErrorDismissed,
    approval,
  } = judgement.changes
  const parts = [
    begun?.initial,
    begun !== undefined && begun.bootstrapPolicy !== 'await_approval' ? begun.bootstrapPolicy : undefined,
    begun === undefined ? desired : undefined,
    desiredRuntime,
    storage,
    program,
    isErrorDismissed === true ? 'dismissed' : undefined,
    approval === undefined ? undefined : 'approved',
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '=' : `+${parts.join('+')}`
}

const early = {
  stop: '=',
  'stop force': '=',
  pause: 'not_provisioned',
  resume: 'not_provisioned',
  activate: 'not_provisioned',
  approve: 'not_provisioned',
  dismiss: '=',
  edit: '=',
} as const
const anew = { compile: '+pending' } as const
const clean = { clear: '=', 'edit bound': '=', delete: '=' } as const
const kept = { 'edit bound': 'edit_needs_cleared_storage', delete: 'delete_needs_cleared_storage' } as const
const startable = {
  'start running': '+running',
  'start paused': '+paused',
  'start standby': '+standby',
  'start anew': '+running',
  'start reject': '+running+reject',
} as const
const unstartable = (code: string) => ({
  'start running': code,
  'start paused': code,
  'start standby': code,
  'start anew': code,
  'start reject': code,
})
const again = {
  'start running': '=',
  'start paused': 'initial_immutable',
  'start standby': 'initial_immutable',
  'start anew': '=',
  'start reject': 'bootstrap_policy_immutable',
} as const
const busy = {
  compile: 'edit_only_when_stopped',
  dismiss: '=',
  edit: 'edit_only_when_stopped',
  'edit bound': 'edit_only_when_stopped',
  delete: 'delete_only_when_stopped',
} as const
const noMachine = {
  pause: 'not_provisioned',
  resume: 'not_provisioned',
  activate: 'not_provisioned',
  approve: 'not_provisioned',
} as const
const stored = { clear: 'clear_only_when_stopped' } as const
const illegal = { pause: 'illegal_change', resume: 'illegal_change', activate: 'illegal_change' } as const

const expected: Record<keyof typeof states, Record<keyof typeof requests, string>> = {
  new: { ...early, ...clean, ...startable, compile: '=' },
  stopped: { ...early, ...kept, ...startable, ...anew, clear: '+clearing' },
  faulty: { ...early, ...clean, ...anew, ...unstartable('program_faulty') },
  erred: {
    ...early,
    ...clean,
    ...anew,
    ...unstartable('undismissed_error'),
    'start anew': '+running+dismissed',
    dismiss: '+dismissed',
  },
  clearing: { ...early, ...kept, ...anew, ...unstartable('clearing'), clear: '=' },
  starting: {
    ...busy,
    ...again,
    ...noMachine,
    stop: '+stopped',
    'stop force': '+stopped',
    clear: '=',
  },
  provisioning: {
    ...busy,
    ...again,
    ...noMachine,
    ...stored,
    stop: '+stopped',
    'stop force': '+stopped',
  },
  running: {
    ...busy,
    ...again,
    ...stored,
    stop: '+suspended',
    'stop force': '+stopped',
    pause: '+paused',
    resume: '=',
    activate: '=',
    approve: 'nothing_to_approve',
  },
  paused: {
    ...busy,
    ...again,
    ...stored,
    stop: '+suspended',
    'stop force': '+stopped',
    pause: '=',
    resume: '+running',
    activate: 'illegal_change',
    approve: 'nothing_to_approve',
  },
  standby: {
    ...busy,
    ...unstartable('initial_immutable'),
    ...stored,
    'start standby': '=',
    stop: 'unsuspendable',
    'stop force': '+stopped',
    pause: 'illegal_change',
    resume: 'illegal_change',
    activate: '+running',
    approve: 'nothing_to_approve',
  },
  awaiting: {
    ...busy,
    ...again,
    ...stored,
    stop: '+suspended',
    'stop force': '+stopped',
    pause: '+paused',
    resume: '=',
    activate: '=',
    approve: '+approved',
  },
  suspending: {
    ...busy,
    ...unstartable('still_stopping'),
    ...stored,
    ...illegal,
    stop: '=',
    'stop force': '+stopped',
    approve: 'nothing_to_approve',
  },
  ending: {
    ...busy,
    ...unstartable('still_stopping'),
    ...stored,
    ...illegal,
    stop: '=',
    'stop force': '=',
    approve: 'illegal_change',
  },
  stopping: {
    ...busy,
    ...unstartable('still_stopping'),
    ...noMachine,
    ...stored,
    stop: '=',
    'stop force': '=',
    dismiss: 'dismiss_only_when_stopped',
  },
}

const cells = (Object.keys(states) as (keyof typeof states)[]).flatMap((state) =>
  (Object.keys(requests) as (keyof typeof requests)[]).map(
    (request) => [state, request, expected[state][request]] as const,
  ),
)
test.each(cells)('%s, %s: %s', (state, request, outcome) => {
  expect(told(judge(states[state], requests[request]))).toBe(outcome)
})

test('what excludes each other, and a standby that nothing is set up for, is refused in every state', () => {
  const both = { silentBootstrap: true, concurrentBootstrap: true }
  for (const state of Object.values(states)) {
    const exclusive = 'bootstrap_options_exclude_each_other'
    expect(told(judge(state, { ...requests['start running'], ...both }))).toBe(exclusive)
    expect(told(judge(state, { do: 'approve', ...both }))).toBe(exclusive)
    expect(told(judge({ ...state, takesStandby: false }, requests['start standby']))).toBe(
      'standby_not_taken',
    )
  }
})
