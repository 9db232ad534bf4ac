import { z } from 'zod'
import { timeSchema } from './resource.ts'

/** Up to ten years. */
export const longestLifeSeconds = 315_360_000
const spanSchema = z.int().min(1).max(longestLifeSeconds)

/** What becomes of a machine at its end. */
export const lifeThenSchema = z.enum(['suspend', 'stop', 'delete'])
export type LifeThen = z.infer<typeof lifeThenSchema>
/** Which span of a life ends. */
export const lifeCauseSchema = z.enum(['lifetime', 'idle'])
export type LifeCause = z.infer<typeof lifeCauseSchema>

/**
 * How long machines live, as a project, a pool, a claim or an environment says it. What one leaves out, the next farther
 * one says.
 */
export const lifeSpecSchema = z
  .strictObject({
    lifetimeSeconds: spanSchema
      .nullable()
      .optional()
      .meta({ description: 'From its claim, or its creation, to its end; null for no such end' }),
    lifetimeThen: lifeThenSchema
      .optional()
      .meta({ description: 'What becomes of it then; `delete` where nobody says' }),
    idleSeconds: spanSchema
      .nullable()
      .optional()
      .meta({ description: 'How long nobody has to use it for it to end; null for no such end' }),
    idleThen: lifeThenSchema
      .optional()
      .meta({ description: 'What becomes of it then; `suspend` where nobody says' }),
  })
  .meta({ id: 'Life' })
export type LifeSpec = z.infer<typeof lifeSpecSchema>

/** The longest spans that an organization allows, and what holds where nobody says one. */
export const lifeCapSchema = z
  .strictObject({
    lifetimeSeconds: spanSchema.nullable().default(null),
    idleSeconds: spanSchema.nullable().default(null),
  })
  .meta({ id: 'LifeCap' })
export type LifeCap = z.infer<typeof lifeCapSchema>
export const noLifeCap: LifeCap = { lifetimeSeconds: null, idleSeconds: null }

/** Every field with its value. */
export interface LifeSettings {
  lifetimeSeconds: number | null
  lifetimeThen: LifeThen
  idleSeconds: number | null
  idleThen: LifeThen
}

/** The settings of one machine: of those given, the first that says a field counts for it. */
export function settleLife(
  nearestFirst: readonly (LifeSpec | null | undefined)[],
  cap: LifeCap,
): LifeSettings {
  const said = <Field extends keyof LifeSpec>(field: Field) =>
    nearestFirst.find((spec) => spec?.[field] !== undefined)?.[field]
  return {
    lifetimeSeconds: capped(said('lifetimeSeconds'), cap.lifetimeSeconds),
    lifetimeThen: said('lifetimeThen') ?? 'delete',
    idleSeconds: capped(said('idleSeconds'), cap.idleSeconds),
    idleThen: said('idleThen') ?? 'suspend',
  }
}

function capped(seconds: number | null | undefined, cap: number | null): number | null {
  if (seconds == null) return cap
  return cap === null ? seconds : Math.min(seconds, cap)
}

/** The fields that are over the cap. */
export function lifeFaults(
  spec: LifeSpec | null | undefined,
  cap: LifeCap,
): { field: 'lifetimeSeconds' | 'idleSeconds'; given: string; expected: string }[] {
  return (['lifetimeSeconds', 'idleSeconds'] as const).flatMap((field) => {
    const [seconds, most] = [spec?.[field] ?? null, cap[field]]
    if (seconds === null || most === null || seconds <= most) return []
    return [{ field, given: String(seconds), expected: `at most ${most}, the cap of the organization` }]
  })
}

const longestWarningSeconds = 600

/** How long before the end of such a span its end is announced: ten minutes, and of a span below 20 minutes its half. */
export function warningSeconds(spanSeconds: number): number {
  return Math.min(longestWarningSeconds, spanSeconds / 2)
}

export const lifeWarningSchema = z.object({
  cause: lifeCauseSchema,
  follows: lifeThenSchema,
  endsAt: timeSchema,
  at: timeSchema.meta({ description: 'When it was announced' }),
})
export type LifeWarning = z.infer<typeof lifeWarningSchema>
export const lifeOverSchema = z.object({
  cause: lifeCauseSchema,
  follows: lifeThenSchema,
  // One that was put off again and again may have been longer than any that can be asked for.
  spanSeconds: z.int().positive(),
  at: timeSchema,
})
/** An end that came. */
export type LifeOver = z.infer<typeof lifeOverSchema>

/** The life of one machine, as it is now. */
export const lifeStatusSchema = z
  .object({
    lifetimeSeconds: spanSchema.nullable(),
    lifetimeThen: lifeThenSchema,
    idleSeconds: spanSchema.nullable(),
    idleThen: lifeThenSchema,
    beganAt: timeSchema.meta({ description: 'When it was claimed, or made' }),
    endsAt: timeSchema.nullable().meta({ description: 'The end of its lifetime' }),
    activeAt: timeSchema.meta({ description: 'When somebody was last known to use it' }),
    idleEndsAt: timeSchema.nullable().meta({
      description:
        'When it ends unless somebody uses it; null while it does not run, or its runner is silent',
    }),
    watchedAt: timeSchema.nullable().meta({
      description:
        'When its runner last said whether anybody uses it; it does not end for idleness without that',
    }),
    warning: lifeWarningSchema.nullable().meta({ description: 'The announced end; the nearest of two' }),
    over: lifeOverSchema.nullable().meta({ description: 'The end that came, until it runs again' }),
  })
  .meta({ id: 'LifeStatus' })
export type LifeStatus = z.infer<typeof lifeStatusSchema>

/** Puts the end off. */
export const extendSchema = z
  .strictObject({
    seconds: spanSchema.default(3_600).meta({
      description: 'The lifetime ends so much later; for idleness it does not end for so long from now on',
    }),
  })
  .meta({ id: 'Extend' })
