import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Failure, OrderEnvelope } from '@hearth/contract'
import {
  type Authority,
  type CommonStep,
  type Failed,
  type InventoryItem,
  type KeptRecord,
  refusal,
  type Task,
  type Work,
  type WorkHandler,
  type WorkKindOfAgent,
} from '@hearth/runner-agent'
import { markerWork } from './marker-kind.ts'

/** Files on the host for one marker: its owner, and its lines, of which each step writes one. */
export interface MarkerFile {
  owner: string
  epoch: number
  generation: number
  failure: Failure | null
  /** For each line, the epoch of the agent that wrote it. */
  lines: number[]
}

export const markerLines = 8

export interface MarkerSettings {
  folder: string
  lineMilliseconds: number
}

/** The agent's side of the kind: files in a folder. */
export function markersIn(settings: MarkerSettings): WorkKindOfAgent {
  return {
    messages: markerWork,
    handler: ({ runnerId }) => new MarkerHandler(settings, runnerId),
  }
}

export async function readMarker(folder: string, id: string): Promise<MarkerFile | null> {
  const text = await readFile(join(folder, id), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as MarkerFile)
}

class MarkerHandler implements WorkHandler {
  readonly messages = markerWork
  readonly warnings = []

  constructor(
    private readonly settings: MarkerSettings,
    private readonly owner: string,
  ) {}

  begin(task: Task): MarkerWork {
    return new MarkerWork(task, this.settings, this.owner)
  }

  asksSame(): boolean {
    return true
  }

  isRemoval(): boolean {
    return false
  }

  async inventory(): Promise<InventoryItem[]> {
    const { folder } = this.settings
    await mkdir(folder, { recursive: true })
    const ids = (await readdir(folder)).filter((name) => !name.endsWith('.new'))
    const files = await Promise.all(ids.map(async (id) => ({ id, file: await readMarker(folder, id) })))
    return files.flatMap(({ id, file }) => (file === null ? [] : [{ ...file, id }]))
  }

  async remove(id: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    await rm(join(this.settings.folder, id), { force: true })
  }

  async listen(): Promise<void> {
    // A marker does not change by itself.
  }
}

type MarkerStep = { kind: 'begin' } | { kind: 'write' }

class MarkerWork implements Work {
  readonly record: MarkerRecord

  constructor(
    private readonly task: Task,
    private readonly settings: MarkerSettings,
    owner: string,
  ) {
    this.record = new MarkerRecord(task, settings.folder, owner)
  }

  async look(): Promise<MarkerFile | null> {
    const file = await readMarker(this.settings.folder, this.task.order.id)
    this.record.replace(file)
    return file
  }

  next(order: OrderEnvelope, file: MarkerFile | null): MarkerStep | CommonStep {
    if (file === null) return { kind: 'begin' }
    const refused = refusal('the marker', order, file)
    if (refused !== null) return refused
    if (file.failure !== null) return { kind: 'rest', phase: 'failed', failure: file.failure }
    if (file.lines.length < markerLines) return { kind: 'write' }
    return { kind: 'rest', phase: 'present', failure: null }
  }

  async take(step: MarkerStep): Promise<null> {
    const { epoch, generation } = this.task.authority
    if (step.kind === 'write') {
      await delay(this.settings.lineMilliseconds, undefined, { signal: this.task.interrupted })
      const file = this.record.open()
      this.record.replace({ ...file, epoch, generation, lines: [...file.lines, epoch] })
    } else this.record.open()
    await this.task.authority.assertHeld()
    await this.record.keep()
    this.task.report('writing')
    return null
  }

  async failed(thrown: unknown): Promise<Failed> {
    return { failure: { code: 'internal', message: String(thrown) } }
  }

  async keepFailure({ failure }: Failed): Promise<void> {
    this.record.replace({ ...this.record.open(), failure })
    await this.record.keep()
  }

  report(phase: string, failure: Failure | null) {
    return { phase, failure }
  }

  letGo(): void {
    // Nothing is held in memory between steps.
  }
}

class MarkerRecord implements KeptRecord {
  record: MarkerFile | null = null

  constructor(
    private readonly task: Task,
    private readonly folder: string,
    private readonly owner: string,
  ) {}

  open(): MarkerFile {
    const { epoch, generation } = this.task.authority
    this.record ??= { owner: this.owner, epoch, generation, failure: null, lines: [] }
    return this.record
  }

  replace(record: MarkerFile | null): void {
    this.record = record
  }

  async keep(): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    const path = join(this.folder, this.task.order.id)
    await writeFile(`${path}.new`, JSON.stringify(this.open()))
    await rename(`${path}.new`, path)
  }
}
