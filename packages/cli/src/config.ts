import { homedir } from 'node:os'
import { join } from 'node:path'

/** Settings from environment variables; the only place that reads them. */
export interface Config {
  /** HEARTH_URL */
  url: string | undefined
  /** HEARTH_TOKEN */
  token: string | undefined
  /** Folder of the user's context.json: $XDG_CONFIG_HOME/hearth or ~/.config/hearth. */
  configFolder: string
  /** HEARTH_STATE, if it is set. */
  chosenState: string | undefined
  /** Used when neither HEARTH_STATE nor --state is given. */
  defaultState: string
  /** True when colours are disabled (NO_COLOR) or the terminal has none. */
  noColour: boolean
  isRoot: boolean
  /** Environment variables passed on to child processes. */
  variables: Readonly<Record<string, string | undefined>>
}

export function readConfig(
  variables: Readonly<Record<string, string | undefined>> = process.env,
  userId: number | undefined = process.getuid?.(),
): Config {
  const home = given(variables.HOME) ?? homedir()
  const isRoot = userId === 0
  const stateHome = given(variables.XDG_STATE_HOME) ?? join(home, '.local', 'state')
  return {
    url: given(variables.HEARTH_URL),
    token: given(variables.HEARTH_TOKEN),
    configFolder: join(given(variables.XDG_CONFIG_HOME) ?? join(home, '.config'), 'hearth'),
    chosenState: given(variables.HEARTH_STATE),
    defaultState: isRoot ? '/var/lib/hearth' : join(stateHome, 'hearth'),
    noColour: given(variables.NO_COLOR) !== undefined || variables.TERM === 'dumb',
    isRoot,
    variables,
  }
}

/** An empty variable counts as not set. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}
