import { z } from 'zod'
import { timeSchema } from './resource.ts'

/** Something that was seen, and when, where that is known. */
export const evidenceSchema = z.object({ what: z.string(), at: timeSchema.nullable() })
export type Evidence = z.infer<typeof evidenceSchema>
