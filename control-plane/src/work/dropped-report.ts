import type { ReportEnvelope } from '@hearth/contract'

/** Says that a report was dropped, where people look for it. */
export const droppedInWords = (
  { phase, sequence }: Pick<ReportEnvelope, 'phase' | 'sequence'>,
  cause: string,
): string => `a report of the runner (phase ${phase}, sequence ${sequence}) was dropped: ${cause}`
