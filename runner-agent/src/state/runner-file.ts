import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toError } from '@hearth/foundation'
import { z } from 'zod'

/** One address, or a comma-separated list of the control planes of one installation. */
const addresses = z
  .string()
  .transform((text) => text.split(',').map((address) => address.trim()))
  .pipe(z.array(z.url()))
const runnerFileSchema = z
  .object({ url: addresses, runnerId: z.uuid(), token: z.string().min(1) })
  .transform(({ url, ...identity }) => ({ urls: url, ...identity }))
/** The control plane's address and this runner's id and token. */
export type RunnerFile = z.infer<typeof runnerFileSchema>

/** Reads `runner.json` of the state folder, as `hearth runner join` writes it. */
export async function readRunnerFile(stateFolder: string): Promise<RunnerFile> {
  const path = join(stateFolder, 'runner.json')
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw new Error(`${path} cannot be read (${toError(thrown).message}): join this runner first`)
  })
  const parsed = runnerFileSchema.safeParse(json(text))
  if (parsed.success) return parsed.data
  // The text contains a token, so the message does not quote it.
  throw new Error(`${path} does not hold url, runnerId and token: join this runner again`)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
