import { HearthClient } from '@hearth/client'
import type { Clock } from '@hearth/foundation'
import type { Config } from './config.ts'
import { type Context, chooseContext, contextPaths, stateFolderOf } from './context/context.ts'
import { readContextFile } from './context/context-file.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { Terminal } from './output/terminal.ts'
import { version } from './version.ts'

/** Options every command takes. */
export interface GlobalOptions {
  url?: string
  token?: string
  state?: string
}

/** One run of the command: its output, its options, and the signal that ends it. */
export interface Invocation {
  config: Config
  terminal: Terminal
  clock: Clock
  /** Aborts on Ctrl-C and SIGTERM. */
  signal: AbortSignal
  options(): GlobalOptions
}

export function stateFolder(invocation: Invocation): string {
  return stateFolderOf(invocation.options().state, invocation.config)
}

/** The control plane that this run uses, or null when none is known. */
export function findContext(invocation: Invocation): Context | null {
  const { config } = invocation
  const flags = invocation.options()
  return chooseContext({
    flags,
    environment: { url: config.url, token: config.token },
    files: contextPaths(flags.state, config).flatMap((path) => readContextFile(path) ?? []),
  })
}

/** A client for the control plane that this run uses; throws with an explanation when none is known. */
export function client(invocation: Invocation): HearthClient {
  const context = findContext(invocation)
  if (context !== null)
    return new HearthClient({ url: context.url, token: context.token, userAgent: `hearth/${version}` })
  throw new CommandError(
    [
      'no control plane is known here. Do one of these:',
      '  hearth dev                      starts one on this machine',
      '  hearth --url URL --token TOKEN  or HEARTH_URL and HEARTH_TOKEN, for one elsewhere',
      `  ${invocation.config.configFolder}/context.json  with {"url": ..., "token": ...}, to keep it`,
    ].join('\n'),
    exitCodes.unreachable,
  )
}
