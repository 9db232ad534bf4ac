import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bringInput, type GuestInput, type GuestInputs, type ReadInput } from '../../guest/input.ts'

/** The inputs of a synthetic guest: files in its machine's folder, which go with the machine. */
export class SyntheticInputs implements GuestInputs {
  constructor(private readonly folder: string) {}

  /** Where on this host the file is that stands for a path of the guest. */
  fileOf(path: string): string {
    return join(this.folder, `input-${createHash('sha256').update(path).digest('hex')}`)
  }

  bring(input: GuestInput, read: ReadInput, signal: AbortSignal): Promise<'there' | 'brought'> {
    const file = this.fileOf(input.path)
    const part = `${file}.${input.digest}.part`
    return bringInput(
      {
        look: async () => {
          if ((await sizeOf(file)) === input.bytes && (await digestOf(file)) === input.digest) return 'there'
          await mkdir(this.folder, { recursive: true })
          return sizeOf(part)
        },
        append: (_, piece) => appendFile(part, piece, { mode: 0o600 }),
        finish: async (isKnown) => {
          const isSame = isKnown || (await digestOf(part)) === input.digest
          await (isSame ? rename(part, file) : rm(part, { force: true }))
          return isSame
        },
      },
      input,
      read,
      signal,
    )
  }
}

const sizeOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  )

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
