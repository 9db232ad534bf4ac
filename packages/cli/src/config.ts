import { homedir } from 'node:os'
import { join } from 'node:path'

/** What the command reads from the environment; the only place that does. */
export interface Config {
  /** HEARTH_URL */
  url: string | undefined
  /** HEARTH_TOKEN */
  token: string | undefined
  /** Where context.json of the person is: $XDG_CONFIG_HOME/hearth or ~/.config/hearth. */
  configFolder: string
  /** HEARTH_STATE, if it is set. */
  chosenState: string | undefined
  /** Used when neither HEARTH_STATE nor --state is given. */
  defaultState: string
  /** True when colours are not wanted (NO_COLOR) or the terminal has none. */
  noColour: boolean
  isRoot: boolean
  /** Passed on to programs that are started. */
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

/** A variable that is set to nothing counts as not set. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}
