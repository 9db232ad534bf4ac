import { createHash } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import { SecretAutomaton } from '../secret-automaton.ts'

const shortestMasked = 4
/** Minimum length of a line of a multi-line secret to be masked by itself; shorter lines may be ordinary text. */
const shortestMaskedLine = 8
const replacement = Buffer.from('***')

/** Automata of the sets of secrets in use: machines of one project share theirs. */
const inUse = new Map<string, WeakRef<SecretAutomaton>>()
const forgotten = new FinalizationRegistry<string>((digest) => {
  if (inUse.get(digest)?.deref() === undefined) inUse.delete(digest)
})

/**
 * The automaton for these secrets: values of at least 4 characters, and lines of at least 8 characters of multi-line
 * values.
 */
export async function secretAutomaton(secrets: readonly string[]): Promise<SecretAutomaton> {
  const lines = secrets.flatMap((secret) =>
    secret.split(/\r?\n/).filter((line) => line.length >= shortestMaskedLine),
  )
  const long = secrets.filter((secret) => secret.length >= shortestMasked)
  const values = [...new Set([...long, ...lines])].sort()
  const digest = createHash('sha256').update(JSON.stringify(values)).digest('base64')
  const known = inUse.get(digest)?.deref()
  if (known !== undefined) return known
  const built = await SecretAutomaton.build(values.map((value) => Buffer.from(value)))
  inUse.set(digest, new WeakRef(built))
  forgotten.register(built, digest)
  return built
}

/**
 * Replaces secrets in a stream of bytes by `***`, even when a secret is split between chunks: bytes that may begin a
 * secret are held back until that is decided. Every byte of any secret is replaced; overlapping secrets become one
 * `***`. The result does not depend on how the stream was split. Time and memory per byte are bounded by the longest
 * secret.
 */
export class SecretMask {
  private readonly decoder = new StringDecoder('utf8')
  private state = 0
  /** Bytes not emitted yet, and the offset of the first one in the stream. */
  private held = new ByteQueue()
  private heldFrom = 0
  private readAt = 0
  /** End of the last secret whose `***` was already emitted. */
  private maskedTo = 0
  /** Secrets found after that, in order and without overlaps. */
  private found: { from: number; to: number }[] = []

  constructor(private readonly automaton: SecretAutomaton) {}

  /** Returns the text that is decided by now. */
  push(chunk: Buffer): string {
    this.held.append(chunk)
    const { automaton } = this
    let { state } = this
    for (let index = 0; index < chunk.length; index += 1) {
      state = automaton.next(state, chunk[index] ?? 0)
      const length = state === 0 ? 0 : automaton.longestEndingAt(state)
      if (length > 0) this.find(this.readAt + index + 1 - length, this.readAt + index + 1)
    }
    this.state = state
    this.readAt += chunk.length
    return this.release(this.readAt - automaton.depthOf(state))
  }

  /** Returns the rest at the end of the stream. */
  end(): string {
    return this.release(this.readAt) + clean(this.decoder.end())
  }

  private find(from: number, to: number): void {
    let start = from
    for (let last = this.found.at(-1); last !== undefined && last.to > start; last = this.found.at(-1)) {
      start = Math.min(start, last.from)
      this.found.pop()
    }
    if (start < this.maskedTo) this.maskedTo = to
    else this.found.push({ from: start, to })
  }

  /** Emits everything before `until`: no secret that begins earlier can follow. */
  private release(until: number): string {
    const clear: Buffer[] = []
    this.skip(Math.min(this.maskedTo, this.readAt))
    let taken = 0
    for (const { from, to } of this.found) {
      if (from >= until) break
      clear.push(this.take(from), replacement)
      this.skip(to)
      this.maskedTo = to
      taken += 1
    }
    this.found.splice(0, taken)
    if (until > this.heldFrom) clear.push(this.take(until))
    return clean(this.decoder.write(Buffer.concat(clear)))
  }

  private take(to: number): Buffer {
    const bytes = this.held.shift(Math.max(0, to - this.heldFrom))
    this.heldFrom += bytes.length
    return bytes
  }

  private skip(to: number): void {
    if (to > this.heldFrom) this.take(to)
  }
}

/** A queue of bytes in one buffer, which is compacted only when it is half empty. */
class ByteQueue {
  private bytes = Buffer.alloc(0)
  private start = 0
  private end = 0

  append(chunk: Buffer): void {
    const length = this.end - this.start
    if (this.end + chunk.length > this.bytes.length) {
      const wanted = 2 * (length + chunk.length)
      const target = wanted > this.bytes.length ? Buffer.allocUnsafe(wanted) : this.bytes
      this.bytes.copy(target, 0, this.start, this.end)
      this.bytes = target
      this.start = 0
      this.end = length
    }
    chunk.copy(this.bytes, this.end)
    this.end += chunk.length
  }

  /** The first `length` bytes; valid until the next `append`. */
  shift(length: number): Buffer {
    const first = this.bytes.subarray(this.start, Math.min(this.end, this.start + length))
    this.start += first.length
    return first
  }
}

/** Replaces NUL, which databases refuse in a text. */
function clean(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}
