import { z } from 'zod'
import { boundedLine, boundedText } from './bounded.ts'
import { processLimits } from './process.ts'

export const appRuntimes = ['python3', 'nodejs'] as const
export const appRuntimeSchema = z.enum(appRuntimes)
export type AppRuntime = z.infer<typeof appRuntimeSchema>

/** What an app may ask for in its `bentocloud.toml`. */
export const appLimits = {
  releaseCommands: 32,
  /**
   * Of all processes of a release together, and so the most of one process, and the most processes: two releases of each of
   * both spaces fit beside their tasks into one machine.
   */
  instances: 12,
} as const

/** A name of a process is part of the names of its services. */
export const appProcessNameSchema = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens')

export const appCommandSchema = boundedText(processLimits.commandBytes).refine(
  (text) => text.trim() !== '',
  'must not be empty',
)
/** Ports below 1024 are not for the user that an app runs as. */
export const appPortSchema = z.int().min(1_024).max(65_535)
export const appPathSchema = boundedLine(1_024, 1).regex(
  /^\/[A-Za-z0-9._~!$&'()*+,=:@%/-]*$/,
  'a path that begins with / and has neither spaces nor a query',
)

/** How requests reach a process. */
export const appHttpSchema = z.object({
  port: appPortSchema.meta({ description: 'Where it listens; it is told as PORT' }),
  uatPort: appPortSchema.meta({ description: 'The same in the space uat' }),
  path: appPathSchema.meta({
    description: 'It gets the requests whose path is this or below; the longest wins',
  }),
  healthCheck: appPathSchema.nullable().meta({
    description: 'Ready when GET of it is answered with 2xx or 3xx; null: when its port is open',
  }),
})
export type AppHttp = z.infer<typeof appHttpSchema>

export const appProcessSchema = z.object({
  command: appCommandSchema,
  uatCommand: appCommandSchema.nullable().meta({ description: 'In the space uat, where it is another' }),
  http: appHttpSchema.nullable().meta({ description: 'null: no requests lead to it' }),
  instances: z.int().min(1).max(appLimits.instances),
  isSingleton: z.boolean().meta({ description: 'The old one has ended before the new one starts' }),
  cpus: z.number().nullable().meta({ description: 'Of each instance; null for no limit' }),
  memoryMebibytes: z.int().nullable().meta({ description: 'Of each instance; null for no limit' }),
})
export type AppProcess = z.infer<typeof appProcessSchema>

/** What an app says about itself: its `bentocloud.toml`, read once when it is uploaded. */
export const appConfigurationSchema = z
  .object({
    name: z.string().nullable(),
    runtime: appRuntimeSchema.nullable().meta({ description: 'null: that of its web app' }),
    releaseCommands: z.array(appCommandSchema).meta({
      description: 'Run once for each release, in this order, before its processes start',
    }),
    processes: z.record(appProcessNameSchema, appProcessSchema),
  })
  .meta({ id: 'AppConfiguration' })
export type AppConfiguration = z.infer<typeof appConfigurationSchema>
