import { join } from 'node:path'
import { addressesOf } from '@hearth/client'
import { z } from 'zod'

/** Written by `hearth dev` into its state folder, or by a user into ~/.config/hearth. */
export const contextFileSchema = z.object({ url: z.string().refine(areAddresses), token: z.string().min(1) })
export type ContextFile = z.infer<typeof contextFileSchema>

export interface ContextSources {
  /** --url and --token */
  flags: { url?: string | undefined; token?: string | undefined }
  /** HEARTH_URL and HEARTH_TOKEN */
  environment: { url?: string | undefined; token?: string | undefined }
  /** Existing context files in order of precedence. */
  files: readonly (ContextFile & { path: string })[]
}

export interface Context {
  url: string
  token: string | undefined
  /** Where the address came from, for messages. */
  source: string
}

/** Path of the state folder: --state, then HEARTH_STATE, then the default. */
export function stateFolderOf(
  flag: string | undefined,
  config: { chosenState: string | undefined; defaultState: string },
): string {
  return flag ?? config.chosenState ?? config.defaultState
}

/**
 * Context files in order of precedence: that of a state folder asked for, the user's own, that of the default state
 * folder.
 */
export function contextPaths(
  flag: string | undefined,
  config: { chosenState: string | undefined; defaultState: string; configFolder: string },
): string[] {
  const chosen = flag ?? config.chosenState
  const folders = [...(chosen === undefined ? [] : [chosen]), config.configFolder, config.defaultState]
  return [...new Set(folders)].map((folder) => join(folder, 'context.json'))
}

/**
 * The address and the token to use. Flags take precedence over environment variables, and both over files. A file's
 * token is used only with that file's own address, so that `--url` never sends a token to a server it was not meant
 * for.
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

/** One address, or a comma-separated list of the control planes of one installation. */
function areAddresses(text: string): boolean {
  const addresses = addressesOf(text)
  return addresses.length > 0 && addresses.every((address) => z.url().safeParse(address).success)
}

function sameServer(one: string, other: string): boolean {
  return addressesOf(one).join() === addressesOf(other).join()
}
