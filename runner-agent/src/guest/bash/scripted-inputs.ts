import { randomBytes } from 'node:crypto'
import { GuestMisbehaved } from '../guest.ts'
import { bringInput, type GuestInput, type GuestInputs, InputRefused, type ReadInput } from '../input.ts'
import { buildInputAppend, buildInputFinish, buildInputLook } from './input-scripts.ts'
import type { RunInGuest } from './scripted-calls.ts'

const mostBytes = 4_096
const refusals: Readonly<Record<string, (input: GuestInput) => string>> = {
  full: ({ path }) => `the disk of the guest has no room for ${path}`,
  no_folder: ({ path }) => `the folder of ${path} cannot be made in the guest`,
  no_file: ({ path }) => `there is something else at ${path} in the guest`,
  no_user: ({ user }) => `the guest has no user ${user}`,
}

/** The inputs of a guest that runs bash programs. */
export class ScriptedInputs implements GuestInputs {
  constructor(private readonly run: RunInGuest) {}

  bring(input: GuestInput, read: ReadInput, signal: AbortSignal): Promise<'there' | 'brought'> {
    const ask = (build: (delimiter: string) => string, asked: AbortSignal, piece?: Buffer) =>
      this.ask(input, build, asked, piece)
    return bringInput(
      {
        look: async (asked) => {
          const [word, size = ''] = await ask((delimiter) => buildInputLook(input, delimiter), asked)
          if (word === 'there') return word
          if (word !== 'draft' || !/^\d{1,15}$/.test(size) || Number(size) > input.bytes) throw noAnswer()
          return Number(size)
        },
        append: async (offset, piece, asked) => {
          const place = { offset, bytes: piece.length }
          const build = (delimiter: string) => buildInputAppend(input, place, delimiter)
          const [word] = await ask(build, asked, piece)
          // Another attempt has gone on with it meanwhile.
          if (word === 'moved') throw new Error(`${input.path} has changed while it was brought`)
          if (word !== 'appended') throw noAnswer()
        },
        finish: async (isKnown, asked) => {
          const [word] = await ask((delimiter) => buildInputFinish(input, isKnown, delimiter), asked)
          if (word === 'moved') throw new Error(`${input.path} has changed while it was brought`)
          if (word !== 'finished' && word !== 'mismatch') throw noAnswer()
          return word === 'finished'
        },
      },
      input,
      read,
      signal,
    )
  }

  private async ask(
    input: GuestInput,
    build: (delimiter: string) => string,
    signal: AbortSignal,
    piece?: Buffer,
  ): Promise<string[]> {
    const delimiter = `hearth-${randomBytes(16).toString('hex')}`
    const said = await this.run(build(delimiter), {
      purpose: `what is brought to ${input.path}`,
      mostBytes,
      ...(piece === undefined ? {} : { input: piece }),
      signal,
    })
    const [line = ''] = said.toString('latin1').split('\n')
    if (!line.startsWith(`${delimiter} `)) throw noAnswer()
    const words = line.slice(delimiter.length + 1).split(' ')
    const refusal = refusals[words[0] ?? '']
    if (refusal !== undefined) throw new InputRefused(refusal(input))
    return words
  }
}

const noAnswer = () => new GuestMisbehaved('the guest gave no answer when a file was brought')
