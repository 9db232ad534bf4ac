import {
  type EnvironmentPhase,
  type Failure,
  type PrebuildTemplate,
  type SnapshotStatus,
  templateAttempts,
} from '@hearth/contract'
import { assertNever, backoff } from '@hearth/foundation'

/** A template with what is known of its machine and of the snapshot with its memory. */
export interface SeenTemplate {
  template: PrebuildTemplate
  /** null for one that is gone. */
  machine: { phase: EnvironmentPhase; going: boolean; unreachable: boolean; failure: Failure | null } | null
  snapshot: {
    phase: 'making' | 'ready' | 'failed'
    going: boolean
    memory: SnapshotStatus['memory']
    failure: Failure | null
  } | null
  /** Why a machine could not go on from the memory and booted; null while none has said so. */
  unusable: string | null
}

export interface SeenTemplates {
  /** The runners on which machines are wanted that would start from it. */
  wantedRunnerIds: readonly string[]
  templates: readonly SeenTemplate[]
  now: Date
}

export type TemplateAction =
  | { do: 'boot'; runnerIds: string[] } // make a machine, from the disk, on the first of these runners that has room
  | ({ runnerId: string } & (
      | { do: 'freeze' } // keep its memory
      | { do: 'keep' } // it is ready: its machine goes
      | { do: 'fail'; failure: Failure } // its machine and its snapshot go; the disk is still there to start from
      | { do: 'drop' } // it is not wanted any more, and all of it goes
    ))

/** The next action for the templates of a complete prebuild: at most one, since the next look sees its result. */
export function decideTemplates({ wantedRunnerIds, templates, now }: SeenTemplates): TemplateAction | null {
  for (const seen of templates) {
    const { runnerId } = seen.template
    const action: TemplateAction | null = wantedRunnerIds.includes(runnerId)
      ? decideTemplate(seen)
      : { do: 'drop', runnerId }
    if (action !== null) return action
  }
  const known = templates.map(({ template }) => template.runnerId)
  const missing = wantedRunnerIds.filter((id) => !known.includes(id))
  const again = templates.flatMap(({ template }) => (isDue(template, now) ? template.runnerId : []))
  return missing.length + again.length === 0 ? null : { do: 'boot', runnerIds: [...missing, ...again] }
}

const isDue = ({ phase, retryAt }: PrebuildTemplate, now: Date) =>
  phase === 'failed' && retryAt !== null && Date.parse(retryAt) <= now.getTime()

const pauses = { first: 60_000, most: 3_600_000 }

/** A template after one more failure: it is tried again after a pause that doubles, unless that was the last attempt. */
export function failedTemplate(template: PrebuildTemplate, failure: Failure, now: Date): PrebuildTemplate {
  const failures = template.failures + 1
  const pause = backoff(failures - 1, pauses)
  const retryAt = failures < templateAttempts ? new Date(now.getTime() + pause).toISOString() : null
  return { ...template, phase: 'failed', snapshotId: null, failure, failures, retryAt }
}

function decideTemplate(seen: SeenTemplate): TemplateAction | null {
  const { template, snapshot, unusable } = seen
  const { runnerId, phase } = template
  switch (phase) {
    case 'pending':
    case 'booting':
      return decideMachine(seen)
    case 'freezing':
      return decideSnapshot(seen)
    case 'ready':
      if (unusable !== null)
        return { do: 'fail', runnerId, failure: { code: 'memory_unusable', message: unusable } }
      return snapshot === null || snapshot.going || snapshot.phase !== 'ready'
        ? { do: 'fail', runnerId, failure: snapshot?.failure ?? gone('its memory was removed') }
        : null
    case 'failed':
      return null
    default:
      return assertNever(phase)
  }
}

const gone = (message: string): Failure => ({ code: 'internal', message })

function decideMachine({ template: { runnerId }, machine }: SeenTemplate): TemplateAction | null {
  if (machine === null || machine.going)
    return { do: 'fail', runnerId, failure: gone('its machine was deleted before its memory was kept') }
  switch (machine.phase) {
    case 'pending':
    case 'provisioning':
    case 'starting':
      return null
    case 'running':
      return machine.unreachable ? null : { do: 'freeze', runnerId }
    case 'failed':
      return { do: 'fail', runnerId, failure: machine.failure ?? gone('its machine failed without a cause') }
    case 'stopping':
    case 'stopped':
    case 'suspending':
    case 'suspended':
    case 'resuming':
    case 'deleting':
    case 'deleted':
      return {
        do: 'fail',
        runnerId,
        failure: gone(`its machine was ${machine.phase} before its memory was kept`),
      }
    default:
      return assertNever(machine.phase)
  }
}

function decideSnapshot({ template: { runnerId }, snapshot }: SeenTemplate): TemplateAction | null {
  if (snapshot === null || snapshot.going)
    return { do: 'fail', runnerId, failure: gone('its memory was removed while it was made') }
  switch (snapshot.phase) {
    case 'making':
      return null
    case 'failed':
      return { do: 'fail', runnerId, failure: snapshot.failure ?? gone('its memory failed without a cause') }
    case 'ready': {
      if (snapshot.memory?.kept === true) return { do: 'keep', runnerId }
      const message = snapshot.memory?.reason ?? 'its runner did not keep the memory'
      return { do: 'fail', runnerId, failure: { code: 'memory_unusable', message } }
    }
    default:
      return assertNever(snapshot.phase)
  }
}
