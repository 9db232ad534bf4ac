import { canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { readJournal } from '../process/index.ts'
import { toldBy } from './runtime.decide.ts'
import { processOf, type Scene } from './scene.ts'
import type { PipelineRow } from './table.ts'
import { changePipelineRow, noteWork } from './write.ts'

const before = { run: 0, offset: -1 }

/**
 * Takes what its program has told since, line by line and in order: each status that is another one is an event of its own. How far
 * that came is kept in the same transaction, so that no line is taken twice, and none is left out.
 */
export async function takeJournal(
  tx: DatabaseTransaction,
  row: PipelineRow,
  scene: Scene,
): Promise<PipelineRow> {
  const service = processOf(scene, 'run')
  if (row.resources !== 'provisioned' || service === undefined) return row
  let current = row
  for (const { run, offset, text } of await readJournal(tx, service.id, row.work.journal ?? before)) {
    const told = toldBy(text)
    const noted = { journal: { run, offset }, told }
    const isSame = current.runtime === told.runtime && isAlike(current.status.runtimeDetails, told.details)
    current = isSame
      ? await noteWork(tx, current, noted)
      : await changePipelineRow(tx, current, {
          ...{ runtime: told.runtime, now: scene.now },
          status: { runtimeDetails: told.details },
          work: noted,
        })
    // Nothing follows that.
    if (told.runtime === 'suspended') break
  }
  return current
}

const isAlike = (one: unknown, other: unknown) => canonicalJson({ it: one }) === canonicalJson({ it: other })
