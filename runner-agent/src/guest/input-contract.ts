import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { createHash, randomBytes } from 'node:crypto'
import { type GuestInput, type GuestInputs, InputRefused, inputPieceBytes, type ReadInput } from './input.ts'

export interface InputContractSetting {
  inputs: GuestInputs
  /** A folder in the guest that is root's. */
  folder: string
  /** What is at a path; null where nothing is. */
  content(path: string): Promise<Buffer | null>
}

/** The contract of the inputs of every guest: each promise is the name and the body of a test. */
export const inputContract: readonly (readonly [
  promise: string,
  holds: (setting: InputContractSetting) => Promise<void>,
])[] = [
  [
    'an input is brought once, byte for byte, and not again while it is there',
    async (setting) => {
      const { input, bytes } = newInput(setting, 2 * inputPieceBytes + 12_345)
      const froms: number[] = []
      strictEqual(await bring(setting, input, reading(bytes, froms)), 'brought')
      deepStrictEqual(await setting.content(input.path), bytes)
      strictEqual(await bring(setting, input, reading(bytes, froms)), 'there')
      deepStrictEqual(froms, [0])
    },
  ],
  [
    'what was cut short is gone on with, and nothing is at its path before all has come',
    async (setting) => {
      const { input, bytes } = newInput(setting, 2 * inputPieceBytes)
      const cut: ReadInput = async function* () {
        yield bytes.subarray(0, inputPieceBytes + 1_000)
        throw new Error('the line is cut')
      }
      await rejects(bring(setting, input, cut), /the line is cut/)
      strictEqual(await setting.content(input.path), null)
      const ending: ReadInput = async function* (from) {
        yield bytes.subarray(from, from + 1)
      }
      await rejects(bring(setting, input, ending), /bytes came/)
      const froms: number[] = []
      strictEqual(await bring(setting, input, reading(bytes, froms)), 'brought')
      strictEqual((froms[0] ?? 0) >= inputPieceBytes, true)
      deepStrictEqual(await setting.content(input.path), bytes)
    },
  ],
  [
    'what is not what was announced is refused, and kept nowhere',
    async (setting) => {
      const { input, bytes } = newInput(setting, 100_000)
      const other = Buffer.from(bytes)
      other[50_000] = (other[50_000] ?? 0) ^ 1
      await rejects(bring(setting, input, reading(other)), InputRefused)
      await rejects(bring(setting, input, reading(Buffer.concat([bytes, bytes]))), InputRefused)
      strictEqual(await setting.content(input.path), null)
      strictEqual(await bring(setting, input, reading(bytes)), 'brought')
    },
  ],
  [
    'another input replaces the one at its path',
    async (setting) => {
      const { input, bytes } = newInput(setting, 1_000)
      await bring(setting, input, reading(bytes))
      const next = newInput(setting, 2_000)
      const replacing = { ...next.input, path: input.path }
      strictEqual(await bring(setting, replacing, reading(next.bytes)), 'brought')
      deepStrictEqual(await setting.content(input.path), next.bytes)
    },
  ],
  [
    'whoever is interrupted is done at once, and another goes on',
    async (setting) => {
      const { input, bytes } = newInput(setting, 2 * inputPieceBytes)
      const leaving = new AbortController()
      const stopping: ReadInput = async function* (_, signal) {
        yield bytes.subarray(0, inputPieceBytes)
        leaving.abort(new Error('has left'))
        signal.throwIfAborted()
      }
      await rejects(setting.inputs.bring(input, stopping, leaving.signal))
      strictEqual(await bring(setting, input, reading(bytes)), 'brought')
      deepStrictEqual(await setting.content(input.path), bytes)
    },
  ],
]

function newInput({ folder }: InputContractSetting, length: number): { input: GuestInput; bytes: Buffer } {
  const bytes = randomBytes(length)
  const digest = createHash('sha256').update(bytes).digest('hex')
  const path = `${folder}/it's ${digest.slice(0, 8)}.zip`
  return { input: { path, user: 'root', digest, bytes: length }, bytes }
}

const reading = (bytes: Buffer, froms: number[] = []): ReadInput =>
  async function* (from) {
    froms.push(from)
    for (let at = from; at < bytes.length; at += 700_000) yield bytes.subarray(at, at + 700_000)
  }

const bring = ({ inputs }: InputContractSetting, input: GuestInput, read: ReadInput) =>
  inputs.bring(input, read, AbortSignal.timeout(60_000))
