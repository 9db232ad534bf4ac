import type { Failure, SnapshotOrder, SnapshotReport } from '@hearth/contract'
import { assertNever, toError } from '@hearth/foundation'
import { HostError } from '../../host/host-error.ts'
import type { Layer } from '../../host/layer.ts'
import type { CommonStep, Failed, Task, Work } from '../work.ts'
import { LayerUnreachable } from './copy/client.ts'
import { openForbidden } from './forbidden-values.ts'
import { LayerRecord } from './layer-record.ts'
import { foundFailure, searchLayer } from './layer-search.ts'
import { grantOf, type LayerStep, nextStep, type SnapshotPhase, type SnapshotRecord } from './next-step.ts'
import type { SnapshotContext } from './snapshot-context.ts'

type Progress = NonNullable<SnapshotReport['progress']>

/** Minimum time between two reports of progress. */
const progressMilliseconds = 1_000

/** The work on the layer of one snapshot. */
export class SnapshotWork implements Work<SnapshotOrder> {
  readonly record = new LayerRecord()
  private layer: Layer | null = null
  private progress: Progress | null = null
  private progressAt = Number.NEGATIVE_INFINITY
  /** The grant in the order when the last step was begun. */
  private grantTaken: string | null = null

  constructor(
    private readonly task: Task<SnapshotOrder>,
    private readonly context: SnapshotContext,
    /** Called when the layer is gone: what it stood on may go too. */
    private readonly released: (layerId: string) => void = () => undefined,
  ) {}

  /** Other runners read the layer by the newest order, whatever is being done with it. */
  heard({ id, grants }: SnapshotOrder): void {
    this.context.grants.replace(id, grants ?? [])
  }

  async look(): Promise<Layer> {
    const { order } = this.task
    this.heard(order)
    this.layer = await this.context.layers.look(order.id)
    return this.layer
  }

  next(order: SnapshotOrder, layer: Layer): LayerStep | CommonStep<SnapshotPhase> {
    return nextStep(order, { layer, record: this.record.record })
  }

  async take(step: LayerStep, layer: Layer): Promise<Failed | null> {
    const { task, context, record } = this
    const { id } = task.order
    this.grantTaken = grantOf(task.order)
    switch (step.kind) {
      case 'freeze': {
        task.report('creating')
        const { environmentId, memory } = step
        await context.layers.freeze({ layerId: id, environmentId, memory }, task.authority)
        return null
      }
      case 'copy':
        task.report('copying')
        await context.copy(task, (done, total) => this.advance('copying', done, total))
        return null
      case 'search': {
        const forms = openForbidden(task.order, context.sealingKey)
        const advance = (done: number, total: number) => this.advance('creating', done, total)
        const found = await searchLayer(context.layers, id, forms, advance, task.interrupted)
        if (found !== null) return { failure: foundFailure(found) }
        record.change({ isSearched: true })
        return null
      }
      case 'flatten':
        await this.flatten(layer)
        return null
      case 'remove':
        task.report('deleting')
        record.change({ keptBy: await context.layers.remove(id, task.authority) })
        if (record.record.keptBy?.length === 0) this.released(id)
        return null
      default:
        return assertNever(step)
    }
  }

  /** The layer is ready meanwhile; without room it stays on what it stands on. */
  private async flatten({ layerId }: Layer): Promise<void> {
    const { task, context } = this
    const { flatten: id = null } = task.order
    task.report('present')
    const advance = (done: number, total: number) => this.advance('present', done, total)
    try {
      await context.layers.flatten(layerId, advance, task.interrupted, task.authority)
    } catch (thrown) {
      if (!(thrown instanceof HostError)) throw thrown
      context.log.warn({ layerId, error: thrown }, 'a layer cannot be flattened')
      const { code, message } = thrown
      this.record.change({ unflattened: { id, failure: { code, message } } })
    }
  }

  /** A copy that was cut is tried again, with growing pauses, until the control plane gives it up. */
  async failed(thrown: unknown): Promise<Failed> {
    if (thrown instanceof LayerUnreachable) throw thrown
    const { message } = toError(thrown)
    return { failure: { code: thrown instanceof HostError ? thrown.code : 'internal', message } }
  }

  async keepFailure({ failure }: Failed): Promise<void> {
    const { generation } = this.task.order
    this.record.change({ failure, failedGeneration: generation, failedGrant: this.grantTaken, keptBy: null })
  }

  report(phase: string, failure: Failure | null): Body {
    const { keptBy, unflattened } = this.record.record
    const grantId = grantOf(this.task.order)
    return {
      ...(grantId === null ? {} : { grantId }),
      ...unflattenedIn(unflattened),
      phase: phase as SnapshotPhase,
      failure,
      layer: phase === 'deleted' || phase === 'failed' ? null : (this.layer?.facts ?? null),
      progress: this.progress,
      keptBy: [...(keptBy ?? [])].slice(0, 100),
    }
  }

  letGo(): void {
    this.progress = null
  }

  /** Whether its removal waits for this machine or layer. */
  isKeptBy(id: string): boolean {
    return this.record.record.keptBy?.includes(id) === true
  }

  /** Tries again to remove a layer that something stood on. */
  tryRemovalAgain(): boolean {
    const { keptBy } = this.record.record
    if (keptBy === null || keptBy.length === 0) return false
    this.record.change({ keptBy: null })
    return true
  }

  private advance(phase: SnapshotPhase, doneBytes: number, totalBytes: number): void {
    const now = this.context.now()
    this.progress = { doneBytes, totalBytes }
    if (now - this.progressAt < progressMilliseconds) return
    this.progressAt = now
    this.task.report(phase)
  }
}

/** Of what was asked for; that a layer is deeper than it need be is the host's alone. */
function unflattenedIn(unflattened: SnapshotRecord['unflattened']): Pick<SnapshotReport, 'unflattened'> {
  if (unflattened === null || unflattened.id === null) return {}
  return { unflattened: { id: unflattened.id, failure: unflattened.failure } }
}

type Body = Omit<
  SnapshotReport,
  'kind' | 'id' | 'runnerId' | 'epoch' | 'generation' | 'sequence' | 'reportedAt'
>
