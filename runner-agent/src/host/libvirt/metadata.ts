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

const limitsSchema = z.object({
  bandwidthMegabitsPerSecond: z.number().optional(),
  packetsPerSecond: z.number().optional(),
})

/** How a machine was connected when it was created. */
const networkSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['isolated', 'user']), limits: limitsSchema }),
  z.object({
    kind: z.enum(['network', 'bridge']),
    name: z.string(),
    macAddress: z.string(),
    limits: limitsSchema,
  }),
])
export type GivenNetwork = z.infer<typeof networkSchema>

export const addressLoginSchema = addressSchema.pick({ user: true, hostKey: true })

export const identitySchema = z.object({
  machineId: z.string(),
  hostname: z.string(),
  randomSeedDigest: z.string(),
})

const sourceSchema = z.object({
  layerId: z.string(),
  virtualBytes: z.number(),
  /** `fresh` until the first start; `resuming` while the machine is started from the layer's memory. */
  state: z.enum(['fresh', 'resuming', 'ran']),
})
export type GivenSource = z.infer<typeof sourceSchema>

const suspensionSchema = z.object({
  /** `saving` until the whole memory is known to be on the disk. */
  state: z.enum(['saving', 'kept']),
  hostBootId: z.string(),
})
export type GivenSuspension = z.infer<typeof suspensionSchema>

/**
 * `machine.json` in the machine's folder: the ownership that also stands in the domain, and what the guest was given,
 * which is nothing as long as the machine has not begun to be made.
 */
export const machineFileSchema = z.object({
  ownership: ownershipSchema,
  given: z
    .object({
      /** Null for a machine that has its own, changing address. */
      address: addressSchema.nullable(),
      /** Missing in machines created before networks were recorded: they use QEMU's user network. */
      login: addressLoginSchema.optional(),
      network: networkSchema.optional(),
      identity: identitySchema,
      /** The layer that the disk stands on; missing for a disk that stands on the image. */
      source: sourceSchema.optional(),
      /** Missing where the memory in the machine's folder, if there is one, must not be used. */
      suspension: suspensionSchema.optional(),
    })
    .nullable(),
})
export type MachineFile = z.infer<typeof machineFileSchema>
/** What a machine is given when it is created. */
export type Given = NonNullable<MachineFile['given']>

/** Attributes of the metadata element, as text. */
export function parseOwnership(attributes: Readonly<Record<string, unknown>>) {
  const parsed = ownershipSchema.safeParse(attributes)
  return parsed.success ? parsed.data : null
}
