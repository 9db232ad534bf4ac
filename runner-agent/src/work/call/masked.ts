import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SecretAutomaton } from '../secret-automaton.ts'
import { bytesPerTurn } from '../secret-automaton.ts'

const replacement = Buffer.from('***')

/** The bytes with every secret in them replaced by `***`, those that overlap by one; all other bytes stay as they are. */
export async function masked(bytes: Buffer, secrets: SecretAutomaton): Promise<Buffer> {
  const found: { from: number; to: number }[] = []
  let state = 0
  for (let index = 0; index < bytes.length; index += 1) {
    if (index % bytesPerTurn === bytesPerTurn - 1) await nextTurn()
    state = secrets.next(state, bytes[index] ?? 0)
    const length = state === 0 ? 0 : secrets.longestEndingAt(state)
    if (length === 0) continue
    let from = index + 1 - length
    for (let last = found.at(-1); last !== undefined && last.to > from; last = found.at(-1)) {
      from = Math.min(from, last.from)
      found.pop()
    }
    found.push({ from, to: index + 1 })
  }
  if (found.length === 0) return bytes
  const pieces: Buffer[] = []
  let position = 0
  for (const { from, to } of found) {
    pieces.push(bytes.subarray(position, from), replacement)
    position = to
  }
  return Buffer.concat([...pieces, bytes.subarray(position)])
}
