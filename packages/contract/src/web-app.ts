import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'
import { referenceSchema } from './snapshot.ts'

export const webAppRuntimes = ['python3', 'nodejs'] as const
export type WebAppRuntime = (typeof webAppRuntimes)[number]

/** The base image that has what web apps need. */
export const webAppImage = 'debian-12-web'

/** As people write it. */
export const webAppRuntimeInputSchema = z
  .enum([...webAppRuntimes, 'python'])
  .transform((runtime): WebAppRuntime => (runtime === 'python' ? 'python3' : runtime))
  .meta({ description: 'python3 (also python) or nodejs' })

const noneIsNull = <const Word extends string>(word: Word) =>
  z
    .enum([word, 'none'])
    .nullable()
    .transform((given): Word | null => (given === 'none' ? null : (given as Word | null)))

/**
 * A web app's name is the first part of its addresses: `NAME.BASE` and `NAME-uat.BASE`. So none may be another one's with its
 * ending.
 */
export const webAppNameSchema = nameSchema
  .max(50)
  .refine((name) => !/-(uat|production)$/.test(name), 'a name that does not end with -uat or -production')

const shown = {
  displayName: boundedLine(255),
  emoji: boundedLine(64),
} as const

export const webAppSpecSchema = z.object({
  desired: z.enum(['keep', 'delete']),
  ...shown,
  environmentId: idSchema.meta({ description: 'The machine it runs on, which has no other web app' }),
  runtime: z.enum(webAppRuntimes),
  webServer: z.enum(['nginx']),
  database: z.enum(['postgres']).nullable(),
  cache: z.enum(['redis']).nullable(),
})
export type WebAppSpec = z.infer<typeof webAppSpecSchema>

export const webAppPhaseSchema = z.enum(['provisioning', 'ready', 'failed', 'deleting'])
export type WebAppPhase = z.infer<typeof webAppPhaseSchema>

export const webAppStatusSchema = z.object({
  phase: webAppPhaseSchema,
  spaceIds: z.object({ uat: idSchema, production: idSchema }),
  waitsFor: z.string().nullable(),
  ...statusFields,
})
export const webAppSchema = resourceSchema('WebApp', webAppSpecSchema, webAppStatusSchema).meta({
  id: 'WebApp',
})
export type WebApp = z.infer<typeof webAppSchema>

export const webAppCreateSchema = z
  .strictObject({
    name: webAppNameSchema.meta({ description: 'Unique in the installation' }),
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      displayName: shown.displayName.default(''),
      emoji: shown.emoji.default(''),
      environment: referenceSchema,
      runtime: webAppRuntimeInputSchema,
      webServer: z.enum(['nginx']).default('nginx'),
      database: noneIsNull('postgres').default(null),
      cache: noneIsNull('redis').default(null),
    }),
  })
  .meta({ id: 'WebAppCreate' })

/** What it was made with stays: a runtime, database or cache that is given must be the one that it has. */
export const webAppUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        displayName: shown.displayName.optional(),
        emoji: shown.emoji.optional(),
        runtime: webAppRuntimeInputSchema.optional(),
        webServer: z.enum(['nginx']).optional(),
        database: noneIsNull('postgres').optional(),
        cache: noneIsNull('redis').optional(),
      })
      .optional(),
  })
  .meta({ id: 'WebAppUpdate' })

/** Seconds that a web app waits for its machine, that its set-up may take, and its removal. */
export const webAppSeconds = { provisioning: 3_600, setUp: 1_800, deleting: 300 } as const

export const webAppKind = defineKind({
  kind: 'WebApp',
  schema: webAppSchema,
  summary: 'applications, each on a machine of its own, with a space uat and a space production',
  aliases: ['app', 'apps'],
  hasEvents: true,
  isExplained: true,
  waits: {
    provisioning: {
      waitsFor: 'its machine to run, and to be set up for it',
      deadlineSeconds: webAppSeconds.provisioning,
    },
    ready: rests,
    failed: rests,
    deleting: {
      waitsFor: 'what runs for it to end, and its files and databases to be removed',
      deadlineSeconds: webAppSeconds.deleting,
    },
  },
  tones: { ready: 'good', failed: 'bad' },
})
