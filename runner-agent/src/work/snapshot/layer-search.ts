import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Failure } from '@hearth/contract'
import type { LayerFileName, LayerPart } from '../../host/layer.ts'
import type { Layers } from '../../host/layers.ts'
import { bytesPerTurn, SecretAutomaton } from '../secret-automaton.ts'
import type { ForbiddenForm } from './forbidden-values.ts'

const pieceBytes = 4 * 1024 ** 2

export interface Found {
  secret: string
  /** The last byte's offset in the file of the layer. */
  offset: number
  file: LayerFileName
}

/** Finds the first of the forms in a layer's files; null where there is none. */
export async function searchLayer(
  layers: Pick<Layers, 'look' | 'read' | 'content'>,
  layerId: string,
  forms: readonly ForbiddenForm[],
  progress: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<Found | null> {
  const { facts } = await layers.look(layerId)
  if (facts === null || forms.length === 0) return null
  const automaton = await SecretAutomaton.build(forms.map(({ bytes }) => bytes))
  const content = await layers.content(layerId)
  const passes: Pass[] = [
    // The whole file, with blocks that the guest has freed, and again in the guest's order: a value may stand on two blocks that
    // are not beside each other in the file.
    { file: 'disk', parts: [{ offset: 0, length: facts.disk.bytes, isContinued: false }] },
    { file: 'disk', parts: content },
    ...(facts.memory === null
      ? []
      : [
          {
            file: 'memory' as const,
            parts: [{ offset: 0, length: facts.memory.bytes, isContinued: false }],
          },
        ]),
  ]
  const totalBytes = passes.flatMap(({ parts }) => parts).reduce((sum, { length }) => sum + length, 0)
  let doneBytes = 0
  for (const { file, parts } of passes) {
    const reading = new Reading(automaton)
    for (const { offset, length, isContinued } of parts) {
      if (!isContinued) reading.begin()
      for (let at = offset; at < offset + length; ) {
        signal.throwIfAborted()
        const piece = await layers.read(layerId, file, at, Math.min(pieceBytes, offset + length - at))
        if (piece.length === 0) break
        const end = await reading.add(piece)
        if (end !== null) return { secret: secretOf(forms, end), offset: at + end.at, file }
        at += piece.length
        doneBytes += piece.length
        progress(doneBytes, totalBytes)
      }
    }
  }
  return null
}

interface Pass {
  file: LayerFileName
  parts: readonly LayerPart[]
}

interface End {
  /** Offset of the value's last byte in the piece. */
  at: number
  value: Buffer
}

/** Bytes that follow each other, looked through piece by piece. */
class Reading {
  private state = 0
  /** The bytes before the present piece, as many as a value may reach back. */
  private before = Buffer.alloc(0)

  constructor(private readonly automaton: SecretAutomaton) {}

  begin(): void {
    this.state = 0
    this.before = Buffer.alloc(0)
  }

  async add(piece: Buffer): Promise<End | null> {
    for (let from = 0; from < piece.length; from += bytesPerTurn) {
      const to = Math.min(piece.length, from + bytesPerTurn)
      for (let at = from; at < to; at += 1) {
        this.state = this.automaton.next(this.state, piece[at] ?? 0)
        const length = this.automaton.longestEndingAt(this.state)
        if (length === 0) continue
        const read = Buffer.concat([this.before, piece.subarray(0, at + 1)])
        return { at, value: read.subarray(read.length - length) }
      }
      await nextTurn()
    }
    const depth = this.automaton.depthOf(this.state)
    const whole = depth > piece.length ? Buffer.concat([this.before, piece]) : piece
    this.before = Buffer.from(whole.subarray(whole.length - depth))
    return null
  }
}

function secretOf(forms: readonly ForbiddenForm[], { value }: End): string {
  return forms.find(({ bytes }) => bytes.equals(value))?.secret ?? 'one of the secrets'
}

export function foundFailure({ secret, offset, file }: Found): Failure {
  return {
    code: 'secret_found',
    message:
      `the value of the secret ${secret} stands in the ${file} of the snapshot, at byte ${offset} of the file: ` +
      'find the command that writes it there, and remove it again in the set-up',
  }
}
