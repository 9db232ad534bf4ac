import { z } from 'zod'
import { idSchema, timeSchema } from './resource.ts'

export const explainedKindSchema = z.enum(['Environment', 'Claim', 'WarmPool', 'Runner'])
export type ExplainedKind = z.infer<typeof explainedKindSchema>

/** Something that was seen, and when, where that is known. */
export const evidenceSchema = z.object({ what: z.string(), at: timeSchema.nullable() })
export type Evidence = z.infer<typeof evidenceSchema>

/** Why a thing is in the phase it is in, for people: one sentence, what it rests on, and what comes next. */
export const explanationSchema = z
  .object({
    kind: explainedKindSchema,
    id: idSchema,
    name: z.string(),
    phase: z.string(),
    sentence: z.string(),
    evidence: z.array(evidenceSchema),
    next: z.string().nullable().meta({ description: 'What will happen, or what to do' }),
  })
  .meta({ id: 'Explanation' })
export type Explanation = z.infer<typeof explanationSchema>
