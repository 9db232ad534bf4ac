import { z } from 'zod'

/** How the control plane that answers is reached over HTTPS. */
export const secureAccessSchema = z
  .object({
    port: z
      .int()
      .min(1)
      .max(65_535)
      .nullable()
      .meta({ description: 'null where it does not listen for HTTPS itself' }),
    hosts: z
      .array(z.string())
      .meta({ description: 'The names and addresses that its certificate is good for' }),
    certificateAuthority: z
      .string()
      .nullable()
      .meta({ description: 'The certificate, as PEM, of who signs the certificates of all control planes' }),
  })
  .meta({ id: 'SecureAccess' })
export type SecureAccess = z.infer<typeof secureAccessSchema>
