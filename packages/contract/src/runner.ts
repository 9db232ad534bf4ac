import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

export const runnerPhases = ['created', 'active', 'degraded', 'draining', 'offline', 'deleted'] as const
export const runnerPhaseSchema = z.enum(runnerPhases)
export type RunnerPhase = z.infer<typeof runnerPhaseSchema>

/** A runner that sent no heartbeat for this long is offline. */
export const runnerLeaseSeconds = 30

export const runnerSpecSchema = z.strictObject({
  region: nameSchema.default('default'),
  /** `enabled` takes new machines, `cordoned` does not, `draining` also gives its unclaimed ones up. */
  scheduling: z.enum(['enabled', 'cordoned', 'draining']).default('enabled'),
})
export type RunnerSpec = z.infer<typeof runnerSpecSchema>

export const virtualizationSchema = z.enum(['kvm', 'qemu', 'synthetic'])

export const runnerFactsSchema = z.object({
  virtualization: virtualizationSchema,
  virtualCpus: z.int().nonnegative().meta({ description: 'That guests may use in all' }),
  memoryMebibytes: z.int().nonnegative(),
  diskGibibytes: z.int().nonnegative(),
  images: z.array(z.string()).meta({ description: 'Base images held, by name' }),
  warnings: z
    .array(boundedLine(1_000))
    .max(20)
    .optional()
    .meta({ description: 'What on the host is less safe than it should be, or stands still, in words' }),
  layerAddress: z
    .object({ host: z.string(), port: z.int().min(1).max(65_535) })
    .optional()
    .meta({ description: 'Where other runners copy snapshots from; without it they cannot' }),
  bootSlots: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'How many machines boot at once; older agents do not say' }),
  suspends: z
    .boolean()
    .optional()
    .meta({ description: 'Whether its agent suspends machines; older ones ignore it' }),
  bringsInputs: z.boolean().optional().meta({
    description: 'Whether its agent brings files into a guest for a process; older ones ignore them',
  }),
  ingress: z
    .object({
      base: z.string(),
      port: z.int().min(1).max(65_535),
      rootCertificate: z
        .string()
        .optional()
        .meta({ description: 'File on the host with the authority that browsers are to trust' }),
    })
    .optional()
    .meta({ description: 'The domain below which its proxy serves routes, and its port for HTTPS' }),
  ingressFault: z.string().optional().meta({ description: 'Why it serves no routes, although it should' }),
  agentVersion: z.string(),
  sealingKey: z.string().meta({ description: 'X25519 public key, base64: secrets are sealed to it' }),
})
export type RunnerFacts = z.infer<typeof runnerFactsSchema>

/** How the machines made on a host fared lately; null while nothing is held against it. */
export const runnerHealthSchema = z.object({
  boots: z.int().nonnegative().meta({ description: 'That were counted: at most the last ten of an hour' }),
  failures: z.int().nonnegative().meta({ description: 'Of these, for causes that speak against the host' }),
  lastFailure: z.object({ environmentId: idSchema, at: timeSchema, message: z.string() }).nullable(),
  avoidedUntil: timeSchema.nullable().meta({ description: 'Until then other runners are preferred' }),
  degradedSince: timeSchema.nullable().meta({ description: 'Since then nothing is placed on it but probes' }),
  probes: z.int().nonnegative().meta({ description: 'How many have failed since' }),
  probeAt: timeSchema.nullable().meta({ description: 'From then on one environment is tried on it' }),
  restoredAt: timeSchema.nullable().meta({ description: 'When a probe last succeeded' }),
})
export type RunnerHealth = z.infer<typeof runnerHealthSchema>

export const runnerStatusSchema = z.object({
  phase: runnerPhaseSchema,
  epoch: z.int().nonnegative().meta({ description: 'Raised by every registration; older ones are refused' }),
  lastSeenAt: timeSchema.nullable(),
  facts: runnerFactsSchema.nullable(),
  environments: z.int().nonnegative().meta({ description: 'Placed here and not deleted' }),
  health: runnerHealthSchema.nullable().default(null),
  ...statusFields,
})
export const runnerSchema = resourceSchema('Runner', runnerSpecSchema, runnerStatusSchema).meta({
  id: 'Runner',
})
export type Runner = z.infer<typeof runnerSchema>

export const runnerCreateSchema = z
  .strictObject({ name: nameSchema, labels: labelsSchema.default({}), spec: runnerSpecSchema.prefault({}) })
  .meta({ id: 'RunnerCreate' })

/** The runner and the secret of a token with the role `runner`, shown once. */
export const runnerCreatedSchema = z
  .object({ runner: runnerSchema, token: z.string() })
  .meta({ id: 'RunnerCreated' })
export type RunnerCreated = z.infer<typeof runnerCreatedSchema>

/** Another secret of a runner's agent, shown once. */
export const runnerTokenSchema = z.object({ token: z.string() }).meta({ id: 'RunnerToken' })

/** How many tokens of its own a runner may have. */
export const mostRunnerTokens = 5

export const runnerUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        region: nameSchema.optional(),
        scheduling: z.enum(['enabled', 'cordoned', 'draining']).optional(),
      })
      .optional(),
  })
  .meta({ id: 'RunnerUpdate' })

export const runnerKind = defineKind({
  kind: 'Runner',
  schema: runnerSchema,
  summary: 'hosts that run machines',
  hasEvents: true,
  isExplained: true,
  waits: {
    created: {
      waitsFor: 'its agent to register',
      deadlineSeconds: null,
      because: 'a person starts the agent, and until then nothing is placed on it and nothing waits for it',
    },
    active: rests,
    degraded: {
      waitsFor: 'a probe: the next environment that boots on it',
      deadlineSeconds: null,
      because: 'probes go on, at most half an hour apart, and no environment waits for this runner',
    },
    draining: {
      waitsFor: 'its claims to be released',
      deadlineSeconds: null,
      because: 'a claimed environment is its claimant’s for as long as they want it',
    },
    offline: {
      waitsFor: 'its agent to be heard again',
      deadlineSeconds: null,
      because:
        'what it held is settled at once when its lease ends: only claimed environments wait, as their project says',
    },
    deleted: rests,
  },
  tones: { active: 'good', offline: 'bad', deleted: 'quiet' },
})
