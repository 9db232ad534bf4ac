import { controlCharacters, type MachineSource, type StartedFrom, startOfText } from '@hearth/contract'
import { HostError } from '../../host/host-error.ts'
import type { Layer } from '../../host/layer.ts'
import type { EnvironmentRecord } from './record.ts'

type Origin = Pick<EnvironmentRecord, 'startedFrom' | 'formerHostKey' | 'memoryStart'>

/** Of a machine whose disk stands on the layer of its snapshot; the layer may have memory too. */
export function fromLayer(
  { snapshotId, incarnation, memory }: MachineSource,
  { facts, origin }: Pick<Layer, 'facts' | 'origin'>,
): Origin {
  const formerHostKey = origin?.hostKey ?? null
  const common = { snapshotId, incarnation }
  if (!memory) {
    return { formerHostKey, memoryStart: 'none', startedFrom: { from: 'disk', reason: null, ...common } }
  }
  if (facts?.memory == null) {
    const reason = reasonOf(facts?.memoryFault ?? 'the snapshot has no memory on this host')
    return { formerHostKey, memoryStart: 'none', startedFrom: { from: 'disk', reason, ...common } }
  }
  return { formerHostKey, memoryStart: 'wanted', startedFrom: { from: 'memory', reason: null, ...common } }
}

/** Of a machine that stands on its image; `why` where it should have started from a snapshot. */
export function fromImage(source: MachineSource | null, why: string | null): Origin {
  return {
    formerHostKey: null,
    memoryStart: 'none',
    startedFrom: {
      from: 'image',
      snapshotId: source?.snapshotId ?? null,
      incarnation: source?.incarnation ?? 0,
      reason: why === null ? null : reasonOf(why),
    },
  }
}

/** The same, but from the disk, because the memory is of no use. */
export function withoutMemory(startedFrom: StartedFrom | null, why: string): StartedFrom | null {
  return startedFrom === null ? null : { ...startedFrom, from: 'disk', reason: reasonOf(why) }
}

/** Why the machine is made from its image instead; null where the error says nothing against the snapshot, or may not. */
export function faultOfSource(thrown: unknown, source: MachineSource | null): string | null {
  if (source === null || source.onlyFromSnapshot || !(thrown instanceof HostError)) return null
  return thrown.code === 'layer_damaged' || thrown.code === 'layer_unfit' ? thrown.message : null
}

/** Why the memory is of no use; null where the error says nothing against it. */
export function faultOfMemory(thrown: unknown): string | null {
  if (!(thrown instanceof HostError)) return null
  return thrown.code === 'memory_unusable' || thrown.code === 'layer_damaged' ? thrown.message : null
}

const mostReasonBytes = 1_000

/** As much of a reason as a report holds. */
export function reasonOf(text: string): string {
  return startOfText(text.replace(new RegExp(controlCharacters, 'g'), ' ').toWellFormed(), mostReasonBytes)
}
