import { addressSchema } from '@hearth/contract'
import { z } from 'zod'

/** The namespace of Hearth's element in a domain's metadata. */
export const metadataNamespace = 'https://hearth.dev/domain/1'

const ownershipSchema = z.object({
  owner: z.string(),
  environmentId: z.string(),
  epoch: z.coerce.number().int().nonnegative(),
  generation: z.coerce.number().int().nonnegative(),
  createdAt: z.string(),
})

/**
 * `machine.json` in the machine's folder: the ownership that also stands in the domain, and what the guest was given,
 * which is nothing as long as the machine has not begun to be made.
 */
export const machineFileSchema = z.object({
  ownership: ownershipSchema,
  given: z
    .object({
      address: addressSchema,
      identity: z.object({ machineId: z.string(), hostname: z.string(), randomSeedDigest: z.string() }),
    })
    .nullable(),
})
export type MachineFile = z.infer<typeof machineFileSchema>
/** What a machine is given when it is made. */
export type Given = NonNullable<MachineFile['given']>

/** Attributes of the metadata element, as text. */
export function parseOwnership(attributes: Readonly<Record<string, unknown>>) {
  const parsed = ownershipSchema.safeParse(attributes)
  return parsed.success ? parsed.data : null
}
