import { z } from 'zod'
import { evidenceSchema } from './evidence.ts'
import { type KindWith, kindsWith } from './kind-list.ts'
import { idSchema } from './resource.ts'

export type ExplainedKind = KindWith<'isExplained'>
export const explainedKindSchema = z.enum(kindsWith('isExplained'))

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
