import { createHash } from 'node:crypto'
import { canonicalJson } from '@hearth/foundation'
import type { ReportedRow } from './report-worth.ts'
import type { WantedOrder } from './work-kind.ts'

/**
 * Names what an order says: an agent that has the same is not sent it again. What is undefined is not named, so that a field
 * that orders had not always, and most do not have, leaves the digests as they were.
 */
export function digestOfOrder(said: object): string {
  return createHash('sha256').update(canonicalJson(said)).digest('hex').slice(0, 32)
}

/** What a runner is to have of one resource, by its id, with the newest report of it that was committed. */
export function wantedOrder(
  {
    id,
    report_epoch,
    report_sequence,
  }: Pick<ReportedRow, 'report_epoch' | 'report_sequence'> & { id: string },
  digest: string,
): [id: string, wanted: WantedOrder] {
  return [id, { digest, reported: { epoch: report_epoch, sequence: Number(report_sequence) } }]
}
