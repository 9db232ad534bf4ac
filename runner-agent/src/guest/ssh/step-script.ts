import { posix } from 'node:path'
import { quote } from '../../secure-shell/quote.ts'
import { environmentFilePath } from '../environment-file.ts'
import type { GuestStep, Origin } from '../guest.ts'

/** Where in the guest the ledger and the variables are. */
export interface GuestPaths {
  /** Of each step, what has to outlive a restart: its output, that it has begun, and how it ended. */
  ledger: string
  /** In memory, where a full disk stops nothing: all else of a step. */
  state: string
  /** Holds the newest epoch and generation that the guest was worked on under. */
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

/** How long a command that is told to end has for it. */
const defaultPatienceSeconds = 10

/** Ends a command and all it has started, as `timeout` would, which would be one program more for each command. */
const watchDeadline = (patienceSeconds: number) => [
  'watch_deadline() {',
  '  read -r -t "$2" -u "$idle"',
  '  : >"$folder/overdue"',
  '  kill -TERM -- "-$1"',
  `  read -r -t ${patienceSeconds} -u "$idle"`,
  '  kill -KILL -- "-$1"',
  '}',
]

/** As many bytes as how a step ended may need: they are taken on the disk before it begins, and written over. */
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
    // It has begun before the guest was started the last time.
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
    // Over the blanks: what was taken of the disk before needs no more of it.
    '  } 2>/dev/null 1<>"$kept/outcome"',
    '  printf \'%s\\n\' "$1" >"$folder/exit"',
    '  exit 0',
    '}',
    `{ printf '%${outcomeBytes - 1}s\\n' '' >"$kept/outcome" && : >>"$kept/output"; } 2>/dev/null || ` +
      "{ failed='0 disk 0'; finish 1; }",
    'exec </dev/null >>"$kept/output" 2>&1',
    // Nothing ever comes on it: whoever reads from it waits, without a process.
    '[ -n "$idle" ] || exec {idle}<> <(:)',
    `export HOME=${quote(paths.home)} GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive`,
    ...watchDeadline(patienceSeconds),
    'run_command() {',
    '  local index=$1 limit=$2 command watch code cause=exit',
    `  local remaining=$((${step.limitSeconds} - SECONDS))`,
    '  ((remaining >= 1)) || remaining=1',
    '  ((limit > 0 && limit < remaining)) || limit=$remaining',
    `  printf '==> %s\\n' "$3"`,
    // In a process group of its own, so that it ends with all it has started.
    '  set -m',
    '  "$BASH" -- "$folder/command-$index" {idle}<&- &',
    '  command=$!',
    '  set +m',
    '  watch_deadline "$command" "$limit" >/dev/null 2>&1 &',
    '  watch=$!',
    '  disown "$watch" 2>/dev/null',
    // The shell would say in the step's output what it sees of its own doings.
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
  // The variables reach the commands alone: whatever their names, they do not touch this program.
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
 * Bash lines that let the origin through, and note its numbers, unless the guest has seen newer ones. They are noted in
 * memory, where a full disk stops nothing, and on the disk for the time after a restart.
 */
export function guard({ epoch, generation }: Origin, paths: GuestPaths = guestPaths): string[] {
  const fence = quote(paths.fence)
  const folder = quote(posix.dirname(paths.fence))
  const now = quote(`${paths.state}/fence`)
  return [
    'seen_epoch=0 seen_generation=0',
    `if [ -s ${now} ]; then read -r seen_epoch seen_generation <${now}`,
    `elif [ -s ${fence} ]; then read -r seen_epoch seen_generation <${fence}; fi`,
    `((seen_epoch <= ${epoch} && seen_generation <= ${generation})) || ` +
      `{ printf 'stale %s %s\n' "$seen_epoch" "$seen_generation" >&2; exit ${staleExitCode}; }`,
    `((seen_epoch == ${epoch} && seen_generation == ${generation})) && [ -s ${now} ] || {`,
    `[ -d ${quote(paths.state)} ] || mkdir -p -- ${quote(paths.state)}`,
    `printf '%s %s\n' ${epoch} ${generation} >${now} || exit`,
    `{ { [ -d ${folder} ] || mkdir -p -- ${folder}; } && printf '%s %s\n' ${epoch} ${generation} >${fence}; } 2>/dev/null`,
    '}',
  ]
}
