import { z } from 'zod'
import { positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { stepKeySchema } from './reported.ts'

/** The snapshot that a machine starts from; without one it starts from its image. */
export const machineSourceSchema = z.object({
  snapshotId: idSchema,
  memory: z.boolean().meta({ description: 'Whether it resumes from the memory, where that fits' }),
  incarnation: positiveSchema.meta({
    description: 'Rises with each restore: the machine is put back once for each',
  }),
  heldSteps: z
    .array(stepKeySchema)
    .max(256)
    .meta({ description: 'The keys of the steps that the snapshot holds' }),
  onlyFromSnapshot: z.boolean().default(false).meta({
    description:
      'Whether it fails where the snapshot cannot be used, since a start from the image would lose what the user has in it',
  }),
})
export type MachineSource = z.infer<typeof machineSourceSchema>
