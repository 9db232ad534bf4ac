import { posix } from 'node:path'
import { quote } from '../../secure-shell/quote.ts'
import { environmentFilePath } from '../environment-file.ts'
import type { GuestStep, Origin } from '../guest.ts'

/** Paths in the guest of the ledger and of the variables. */
export interface GuestPaths {
  /**
   * Ledger on the disk: for each step what has to survive a restart: its output, that it has begun, and its outcome.
   */
  ledger: string
  /** Folder in memory for the rest of a step's state, so that a full disk does not stop it. */
  state: string
  /** File with the newest epoch and generation under which the guest was worked on. */
  fence: string
  environmentFile: string
  home: string
}

export const guestPaths: GuestPaths = {
  ledger: '/var/lib/hearth/steps',
  state: '/run/hearth/steps',
  fence: '/var/lib/hearth/fence',
  environmentFile: environmentFilePath,
  home: '/root',
}

/** Seconds a command has to end after it was asked to, before it is killed. */
const defaultPatienceSeconds = 10

/**
 * Ends a command and all processes it has started, as `timeout` would; that program would be one more process for
 * each command.
 */
const watchDeadline = (patienceSeconds: number) => [
  'watch_deadline() {',
  '  read -r -t "$2" -u "$idle"',
  '  : >"$folder/overdue"',
  '  kill -TERM -- "-$1"',
  `  read -r -t ${patienceSeconds} -u "$idle"`,
  '  kill -KILL -- "-$1"',
  '}',
]

/** Number of bytes reserved on the disk for a step's outcome before the step begins; the outcome overwrites them. */
const outcomeBytes = 256

/**
 * The bash program that is a step. It runs in a bash of its own, or a copy of one, with two folders as arguments. In the
 * first, in memory, it leaves `pid` (to tell whether it still runs), `started`, `finished`, `failed` and at the very end
 * `exit`; in the second, in the ledger, `output` and `outcome`: blank from its beginning, and at its end the same as
 * those. Making the file `run` in memory is the lock: a second start ends at once. Builtins do what they can, because an
 * emulated guest pays for every process.
 */
export function buildStepScript(
  step: GuestStep,
  paths: GuestPaths = guestPaths,
  patienceSeconds = defaultPatienceSeconds,
): string {
  const lines = [
    'folder=$1 kept=$2 SECONDS=0',
    'umask 077',
    // The step had begun before the guest's last boot.
    '[ -e "$kept/outcome" ] && [ ! -e "$folder/run" ] && exit 0',
    '{ set -C; : >"$folder/run"; } 2>/dev/null || exit 0',
    'set +C',
    'started=$EPOCHREALTIME failed= skipped=',
    `printf '%s\\n' "$started" >"$folder/started"`,
    'printf \'%s\\n\' "$BASHPID" >"$folder/pid"',
    'finish() {',
    ...(step.syncs ? ['  [ "$1" = 0 ] && sync'] : []),
    '  local finished=$EPOCHREALTIME',
    `  printf '%s\\n' "$finished" >"$folder/finished"`,
    '  [ -n "$failed" ] && printf \'%s\\n\' "$failed" >"$folder/failed"',
    '  [ -n "$skipped" ] && : >"$folder/skipped"',
    '  {',
    `    printf 'started %s\\nfinished %s\\n' "$started" "$finished"`,
    '    [ -n "$failed" ] && printf \'failed %s\\n\' "$failed"',
    '    [ -n "$skipped" ] && printf \'skipped\\n\'',
    '    printf \'exit %s\\n\' "$1"',
    // Overwrites the reserved blanks, so that it needs no more disk space.
    '  } 2>/dev/null 1<>"$kept/outcome"',
    '  printf \'%s\\n\' "$1" >"$folder/exit"',
    '  exit 0',
    '}',
    `{ printf '%${outcomeBytes - 1}s\\n' '' >"$kept/outcome" && : >>"$kept/output"; } 2>/dev/null || ` +
      "{ failed='0 disk 0'; finish 1; }",
    'exec </dev/null >>"$kept/output" 2>&1',
    // Nothing is ever written to it: reading from it waits without starting a process.
    '[ -n "$idle" ] || exec {idle}<> <(:)',
    `export HOME=${quote(paths.home)} GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive`,
    ...watchDeadline(patienceSeconds),
    'run_command() {',
    '  local index=$1 limit=$2 command watch code cause=exit',
    `  local remaining=$((${step.limitSeconds} - SECONDS))`,
    '  ((remaining >= 1)) || remaining=1',
    '  ((limit > 0 && limit < remaining)) || limit=$remaining',
    `  printf '==> %s\\n' "$3"`,
    // Runs in a process group of its own, so that it can be ended together with all it has started.
    '  set -m',
    '  "$BASH" -- "$folder/command-$index" {idle}<&- &',
    '  command=$!',
    '  set +m',
    '  watch_deadline "$command" "$limit" >/dev/null 2>&1 &',
    '  watch=$!',
    '  disown "$watch" 2>/dev/null',
    // Otherwise the shell would write messages about its own jobs into the step's output.
    '  wait "$command" 2>/dev/null',
    '  code=$?',
    '  kill "$watch" 2>/dev/null',
    '  [ -e "$folder/overdue" ] && cause=deadline && ((code != 137)) && code=124',
    '  ((code == 0)) && return',
    '  failed="$index $cause $limit"',
    '  finish "$code"',
    '}',
  ]
  if (step.onlyWithExecutable !== null) {
    const file = quote(`${step.folder}/${step.onlyWithExecutable}`)
    lines.push(`[ -x ${file} ] || { skipped=1; finish 0; }`)
  }
  const variables = quote(paths.environmentFile)
  // Only the commands see the variables: whatever their names, they do not affect this program.
  const preamble =
    `umask 022; if [ -f ${variables} ]; then set -a; . ${variables}; set +a; fi; ` +
    `cd -- ${quote(step.folder)} || exit`
  step.commands.forEach(({ command }, index) => {
    lines.push(`printf '%s\\n' ${quote(`${preamble}\n${command}`)} >"$folder/command-${index}"`)
  })
  step.commands.forEach(({ name, timeoutSeconds }, index) => {
    lines.push(`run_command ${index} ${timeoutSeconds ?? 0} ${quote(name.replaceAll('\n', ' '))}`)
  })
  return `${[...lines, 'finish 0'].join('\n')}\n`
}

export const staleExitCode = 76

/**
 * Bash lines that accept the origin and store its epoch and generation, unless the guest has seen newer ones. They
 * are stored in memory, where a full disk does no harm, and on the disk for the time after a restart.
 */
export function guard(
  { epoch, generation }: Origin,
  paths: Pick<GuestPaths, 'fence' | 'state'> = guestPaths,
): string[] {
  const fence = quote(paths.fence)
  const folder = quote(posix.dirname(paths.fence))
  const now = quote(`${paths.state}/fence`)
  return [
    // What a failing power left of a file says nothing.
    `for seen in ${now} ${fence}; do`,
    '  seen_epoch=0 seen_generation=0',
    '  { read -r seen_epoch seen_generation <"$seen"; } 2>/dev/null',
    '  [[ "$seen_epoch $seen_generation" =~ ^[0-9]{1,10}\\ [0-9]{1,10}$ ]] && break',
    '  seen_epoch=0 seen_generation=0',
    'done',
    `((seen_epoch <= ${epoch} && seen_generation <= ${generation})) || ` +
      `{ printf 'stale %s %s\n' "$seen_epoch" "$seen_generation" >&2; exit ${staleExitCode}; }`,
    `((seen_epoch == ${epoch} && seen_generation == ${generation})) && [ -s ${now} ] || {`,
    `[ -d ${quote(paths.state)} ] || mkdir -p -- ${quote(paths.state)}`,
    `printf '%s %s\n' ${epoch} ${generation} >${now} || exit`,
    `{ { [ -d ${folder} ] || mkdir -p -- ${folder}; } && printf '%s %s\n' ${epoch} ${generation} >${fence}; } 2>/dev/null`,
    '}',
  ]
}
