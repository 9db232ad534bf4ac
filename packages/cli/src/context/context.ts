import { join } from 'node:path'
import { addressesOf } from '@hearth/client'
import { z } from 'zod'

/** Written by `hearth dev` into its state folder, and by a person into ~/.config/hearth. */
export const contextFileSchema = z.object({ url: z.string().refine(areAddresses), token: z.string().min(1) })
export type ContextFile = z.infer<typeof contextFileSchema>

export interface ContextSources {
  /** --url and --token */
  flags: { url?: string | undefined; token?: string | undefined }
  /** HEARTH_URL and HEARTH_TOKEN */
  environment: { url?: string | undefined; token?: string | undefined }
  /** Files that are there, in the order they count. */
  files: readonly (ContextFile & { path: string })[]
}

export interface Context {
  url: string
  token: string | undefined
  /** Where the address came from, for people. */
  source: string
}

/** Where the state folder is: --state, then HEARTH_STATE, then the default. */
export function stateFolderOf(
  flag: string | undefined,
  config: { chosenState: string | undefined; defaultState: string },
): string {
  return flag ?? config.chosenState ?? config.defaultState
}

/** Context files in the order they count: a state folder that was asked for, the person's own, the default state's. */
export function contextPaths(
  flag: string | undefined,
  config: { chosenState: string | undefined; defaultState: string; configFolder: string },
): string[] {
  const chosen = flag ?? config.chosenState
  const folders = [...(chosen === undefined ? [] : [chosen]), config.configFolder, config.defaultState]
  return [...new Set(folders)].map((folder) => join(folder, 'context.json'))
}

/**
 * The address and the token to use. Flags count before the environment, and both before files. A file's token goes
 * to that file's own address only, so that `--url` never sends a token to a server it was not meant for.
 */
export function chooseContext(sources: ContextSources): Context | null {
  const { flags, environment, files } = sources
  const token = flags.token ?? environment.token
  const url = flags.url ?? environment.url
  if (url !== undefined) {
    const file = files.find((candidate) => sameServer(candidate.url, url))
    return { url, token: token ?? file?.token, source: flags.url === undefined ? 'HEARTH_URL' : '--url' }
  }
  const [file] = files
  return file === undefined ? null : { url: file.url, token: token ?? file.token, source: file.path }
}

/** One address, or those of several control planes of one installation with commas between them. */
function areAddresses(text: string): boolean {
  const addresses = addressesOf(text)
  return addresses.length > 0 && addresses.every((address) => z.url().safeParse(address).success)
}

function sameServer(one: string, other: string): boolean {
  return addressesOf(one).join() === addressesOf(other).join()
}
