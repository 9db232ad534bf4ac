import type { CiLimits, Session, SessionTarget, TargetState, WaitReason } from '@hearth/contract'
import { assertNever, spanText } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { microTime, secondTime } from './micro-time.ts'
import { groupVersion } from './names.ts'

const microTimeSchema = z.string()
const stateSchema = z.object({
  waiting: z.object({ waitReason: z.string() }).optional(),
  active: z
    .object({
      startTime: microTimeSchema,
      ready: z.boolean(),
      lastReadyTime: microTimeSchema.nullable(),
    })
    .optional(),
  terminated: z
    .object({
      startTime: microTimeSchema.nullable(),
      finishTime: microTimeSchema.nullable(),
      error: z.string().optional(),
      graceStatus: z.enum(['Tolerated', 'Exceeded']).optional(),
    })
    .optional(),
  disabled: z.object({}).optional(),
})
const durationSchema = z.string()
export const metadataSchema = z.object({
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int(),
  creationTimestamp: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
})
export const tiltSessionSchema = z
  .object({
    kind: z.literal('Session'),
    apiVersion: z.literal(groupVersion),
    metadata: metadataSchema,
    spec: z.object({
      tiltfilePath: z.string(),
      exitCondition: z.string(),
      ci: z
        .object({
          k8sGracePeriod: durationSchema.optional(),
          timeout: durationSchema.optional(),
          readinessTimeout: durationSchema.optional(),
        })
        .optional(),
    }),
    status: z.object({
      pid: z.int(),
      startTime: microTimeSchema,
      targets: z.array(
        z.object({
          name: z.string(),
          type: z.enum(['job', 'server']),
          resources: z.array(z.string()),
          state: stateSchema,
        }),
      ),
      done: z.boolean(),
      error: z.string().optional(),
    }),
  })
  .meta({ id: 'TiltSession' })
export type TiltSession = z.infer<typeof tiltSessionSchema>

export function toTiltSession({ metadata, spec, specVersion, status }: Session): TiltSession {
  const { labels } = metadata
  return {
    kind: 'Session',
    apiVersion: groupVersion,
    metadata: {
      name: metadata.name,
      uid: metadata.id,
      resourceVersion: String(status.revision),
      generation: specVersion,
      creationTimestamp: secondTime(metadata.createdAt),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: {
      tiltfilePath: spec.file,
      exitCondition: spec.exitCondition,
      ...(spec.ci === null ? {} : { ci: toCi(spec.ci) }),
    },
    status: {
      // The process of a caller that told none is not known; the number is required.
      pid: status.processId ?? 0,
      startTime: microTime(status.startedAt),
      targets: status.targets.map(toTarget),
      done: status.done,
      ...(status.error === null ? {} : { error: status.error }),
    },
  }
}

/** A limit that is not set is left out, which means that there is none. */
function toCi(limits: CiLimits): NonNullable<TiltSession['spec']['ci']> {
  const { gracePeriodSeconds, timeoutSeconds, readinessTimeoutSeconds } = limits
  return {
    ...(gracePeriodSeconds === null ? {} : { k8sGracePeriod: spanText(gracePeriodSeconds) }),
    ...(timeoutSeconds === null ? {} : { timeout: spanText(timeoutSeconds) }),
    ...(readinessTimeoutSeconds === null ? {} : { readinessTimeout: spanText(readinessTimeoutSeconds) }),
  }
}

function toTarget({ name, type, resources, state }: SessionTarget): TiltSession['status']['targets'][number] {
  return { name, type, resources, state: toState(state) }
}

/** A target that is not asked to run has none of the states. */
function toState(state: TargetState): z.infer<typeof stateSchema> {
  switch (state.kind) {
    case 'none':
      return {}
    case 'disabled':
      return { disabled: {} }
    case 'waiting':
      return { waiting: { waitReason: waitReasons[state.reason] } }
    case 'active': {
      const { startedAt, ready, lastReadyAt } = state
      return { active: { startTime: microTime(startedAt), ready, lastReadyTime: orNull(lastReadyAt) } }
    }
    case 'terminated':
      return {
        terminated: {
          startTime: orNull(state.startedAt),
          finishTime: orNull(state.finishedAt),
          ...(state.error === null ? {} : { error: state.error }),
          ...(state.grace === null ? {} : { graceStatus: graces[state.grace] }),
        },
      }
    default:
      return assertNever(state)
  }
}

const orNull = (time: string | null) => (time === null ? null : microTime(time))

/** The nearest of the words that Tilt has: a machine is to it what its cluster is. */
const waitReasons: Readonly<Record<WaitReason, string>> = {
  queued: 'initial-build',
  dependency: 'waiting-for-dep',
  machine: 'waiting-for-cluster',
  preparation: 'building-component',
  restart: 'reconciling',
  changed: 'config-changed',
  unknown: 'unknown',
}
const graces = { tolerated: 'Tolerated', exceeded: 'Exceeded' } as const
