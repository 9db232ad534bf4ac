import type { Environment, EnvironmentPhase, Job, JobPhase } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { snowflakeOf } from './ids.ts'

/** Labels of a machine that keep what Hearth has no field for; the first says that it is a computer. */
export const labels = {
  size: 'konigle/size',
  region: 'konigle/region',
  displayName: 'konigle/display-name',
  emoji: 'konigle/emoji',
} as const

/** The sizes of the dialect as Hearth names them. */
export const sizes = { S: 'small', M: 'medium', L: 'large' } as const

export const computerSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    display_name: z.string(),
    emoji: z.string(),
    region: z.string(),
    size: z.enum(['S', 'M', 'L']),
    status: z.enum(['provisioning', 'ready', 'error', 'destroy_scheduled', 'destroying']),
    public_ip: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'KonigleComputer' })
export type Computer = z.infer<typeof computerSchema>

/** What is at rest counts as ready: it is started again by its first use. */
const statuses: Readonly<Record<EnvironmentPhase, Computer['status']>> = {
  pending: 'provisioning',
  provisioning: 'provisioning',
  starting: 'ready',
  running: 'ready',
  stopping: 'ready',
  stopped: 'ready',
  suspending: 'ready',
  suspended: 'ready',
  resuming: 'ready',
  failed: 'error',
  deleting: 'destroying',
  deleted: 'destroying',
}

export function toComputer({ metadata, spec, status }: Environment): Computer {
  const size = metadata.labels[labels.size]
  const isScheduled = status.life?.endsAt != null && status.life.lifetimeThen === 'delete'
  const state = spec.desiredPhase === 'deleted' ? 'destroying' : statuses[status.phase]
  return {
    id: snowflakeOf(metadata.id),
    name: metadata.name,
    display_name: metadata.labels[labels.displayName] ?? '',
    emoji: metadata.labels[labels.emoji] ?? '',
    region: metadata.labels[labels.region] ?? '',
    size: size === 'M' || size === 'L' ? size : 'S',
    status: state !== 'destroying' && isScheduled ? 'destroy_scheduled' : state,
    public_ip: status.address?.host ?? null,
    created_at: metadata.createdAt,
  }
}

export const jobSchema = z
  .object({
    id: z.string(),
    task_name: z.string(),
    status: z.enum(['pending', 'running', 'success', 'failed']),
    log: z.array(z.looseObject({ time: z.string(), level: z.string(), message: z.string() })),
    created_at: z.string(),
    completed_at: z.string().nullable(),
  })
  .meta({ id: 'KonigleJob' })

const taskNames = {
  'environment.provision': 'provision_computer',
  'environment.delete': 'destroy_computer',
  'web-app.create': 'provision_webapp',
  'web-app.delete': 'destroy_webapp',
  'deployment.run': 'deploy_space',
} as const
const jobStatuses: Readonly<Record<JobPhase, 'running' | 'success' | 'failed'>> = {
  running: 'running',
  succeeded: 'success',
  failed: 'failed',
  cancelled: 'failed',
}

/** One that has only begun is pending. */
export function toJob({ id, operation, phase, log, createdAt, finishedAt }: Job): z.infer<typeof jobSchema> {
  const isPending = phase === 'running' && log.length <= 1
  return {
    id,
    task_name: taskNames[operation],
    status: isPending ? 'pending' : jobStatuses[phase],
    log,
    created_at: createdAt,
    completed_at: finishedAt,
  }
}
