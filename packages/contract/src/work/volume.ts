import { z } from 'zod'
import { boundedText, countSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { mountPathSchema, volumeLimits } from '../volume.ts'
import { orderEnvelopeSchema, reportEnvelopeSchema, type WorkMessages } from './work.ts'

/** The whole of what one volume should be on its host. */
export const volumeOrderSchema = orderEnvelopeSchema.extend({
  kind: z.literal('volume'),
  /** In words to people. */
  name: boundedText(255),
  desired: z.enum(['present', 'deleted']),
  sizeMebibytes: z.int().min(1).max(volumeLimits.mostMebibytes),
  environmentId: idSchema.nullable().meta({ description: 'The only machine that may have it' }),
  mountPath: mountPathSchema,
  sourceId: idSchema.nullable().meta({ description: 'The volume on the same host that it is a copy of' }),
  isMade: z.boolean().meta({
    description: 'Whether it was there before: it is then never made again, which would hide that it is lost',
  }),
  contentNumber: countSchema.meta({ description: 'How often it was to be emptied' }),
  force: z.boolean().meta({ description: 'Whether programs that use it are not waited for' }),
})
export type VolumeOrder = z.infer<typeof volumeOrderSchema>

export const volumeReportPhases = [
  'creating',
  'available',
  'attaching',
  'attached',
  'detaching',
  'clearing',
  'growing',
  'failed',
  'deleting',
  'deleted',
] as const
export type VolumeReportPhase = (typeof volumeReportPhases)[number]

export const volumeReportSchema = reportEnvelopeSchema.extend({
  kind: z.literal('volume'),
  phase: z.enum(volumeReportPhases),
  isMade: z.boolean().meta({ description: 'Whether its disk is on the host' }),
  attachedTo: idSchema.nullable().meta({ description: 'The machine that has it on the host' }),
  isMounted: z.boolean(),
  usedMebibytes: countSchema.nullable(),
})
export type VolumeReport = z.infer<typeof volumeReportSchema>

export const volumeWork: WorkMessages<VolumeOrder, VolumeReport> = {
  kind: 'volume',
  order: volumeOrderSchema,
  report: volumeReportSchema,
}
