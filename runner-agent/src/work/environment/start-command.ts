import type { GuestCommand } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'

/** What a start command prints, from its first start on. */
export const startCommandLog = '/var/log/hearth/start-command.log'

/** How long the step looks on, to tell a command that cannot start from one that runs. */
const watchedSeconds = 1

/**
 * Starts the claim's command as a session of its own, which no step and no connection ends. The step succeeds when the
 * command has ended well or still runs after a moment; what it printed until then is printed.
 */
export function startCommand(command: string, log = startCommandLog): GuestCommand {
  const file = quote(log)
  const script = [
    `log=${file}`,
    `mkdir -p -- "\${log%/*}" && umask 077 && : >"$log" || exit`,
    'umask 022',
    'exec {ended}<> <(:)',
    // In the background, so that this shell learns how it ends; setsid takes it out of the step's process group.
    `{ setsid --wait "$BASH" -c ${quote(command)} </dev/null >>"$log" 2>&1 {ended}<&-; echo "$?" >&"$ended"; } </dev/null >/dev/null 2>&1 &`,
    'disown',
    `if read -r -t ${watchedSeconds} -u "$ended" status; then`,
    '  cat -- "$log"',
    '  exit "$status"',
    'fi',
    'cat -- "$log"',
    'printf \'It runs on; what it prints is in %s.\\n\' "$log"',
  ].join('\n')
  return {
    name: command.trim().split('\n')[0]?.slice(0, 120) ?? 'start command',
    command: script,
    timeoutSeconds: null,
  }
}
