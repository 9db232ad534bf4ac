import type { Readiness } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { quote } from '../../secure-shell/quote.ts'

/** Seconds that one try may take. */
const tryingSeconds = 30

/**
 * Bash functions of a supervisor that find out whether its run is ready, once every period. `watch_readiness` starts the
 * next try, or ends one that takes too long; `take_answer` takes in what a try found out.
 */
export function readinessFunctions(readiness: Readiness | null): string[] {
  if (readiness === null) return ['watch_readiness() { :; }', 'take_answer() { :; }', 'end_trying() { :; }']
  return [
    'trial=0 try= try_at=$now try_by=',
    `ready_by=$((now + ${readiness.deadlineSeconds * 100}))`,
    'is_ready() {',
    ...tryOf(readiness),
    '}',
    'watch_readiness() {',
    '  if [ -n "$try" ]; then',
    '    ((now < try_by)) && return',
    '    end_trying',
    '  fi',
    '  ((now < try_at)) && return',
    '  ((trial += 1))',
    '  set -m',
    // A try that is killed answers as well.
    `  { (is_ready) && printf 'answer %s yes ;\\n' "$trial" || printf 'answer %s no ;\\n' "$trial"; } \\`,
    '    </dev/null 2>/dev/null >&"$events" &',
    '  try=$!',
    '  set +m',
    `  try_by=$((now + ${tryingSeconds * 100}))`,
    '}',
    'take_answer() {',
    '  [ -n "$try" ] && [ "$1" = "$trial" ] || return',
    `  try= try_at=$((now + ${readiness.periodSeconds * 100}))`,
    '  [ "$2" = yes ] && become_ready "$EPOCHREALTIME"',
    '}',
    'end_trying() {',
    '  [ -z "$try" ] || kill -KILL -- "-$try" 2>/dev/null',
    `  try= try_at=$((now + ${readiness.periodSeconds * 100}))`,
    '}',
  ]
}

/** Lines of a function that succeeds when the run is ready; it has a shell of its own. */
function tryOf(readiness: Readiness): string[] {
  switch (readiness.kind) {
    case 'command':
      return [`  become "$directory" ${quote(readiness.command)} >/dev/null`]
    case 'tcp':
      return [`  exec 3<>/dev/tcp/127.0.0.1/${readiness.port}`]
    case 'http':
      return [
        `  exec 3<>/dev/tcp/127.0.0.1/${readiness.port} || exit`,
        `  printf 'GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:${readiness.port}\\r\\nUser-Agent: hearth\\r\\nConnection: close\\r\\n\\r\\n' ` +
          `${quote(readiness.path)} >&3`,
        '  local line',
        '  IFS= read -r -n 64 line <&3',
        '  [[ $line =~ ^HTTP/[0-9.]+\\ [23][0-9][0-9] ]]',
      ]
    case 'log':
      // The line may go on in the next file.
      return [`  cat "$kept"/output/1* | LC_ALL=C grep -qaF -e ${quote(readiness.contains)}`]
    default:
      return assertNever(readiness)
  }
}
