import { posix } from 'node:path'
import { quote } from '../../secure-shell/quote.ts'
import { environmentFilePath } from '../environment-file.ts'
import type { GuestStep, Origin } from '../guest.ts'

/** Where in the guest the ledger and the variables are. */
export interface GuestPaths {
  ledger: string
  /** Holds the newest epoch and generation that the guest was worked on under. */
  fence: string
  environmentFile: string
  home: string
}

export const guestPaths: GuestPaths = {
  ledger: '/var/lib/hearth/steps',
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

/**
 * The bash program that is a step. It runs in a bash of its own, or a copy of one, with its folder in the ledger as
 * the only argument, and leaves there: `output`, `pid` and `boot` (to tell whether it still runs), `started`, `finished`, `failed` and at the very
 * end `exit`. Making the file `run` is the lock: a second start ends at once. Builtins do what they can, because an
 * emulated guest pays for every process.
 */
export function buildStepScript(
  step: GuestStep,
  paths: GuestPaths = guestPaths,
  patienceSeconds = defaultPatienceSeconds,
): string {
  const lines = [
    'folder=$1 SECONDS=0',
    'umask 077',
    '{ set -C; : >"$folder/run"; } 2>/dev/null || exit 0',
    'set +C',
    `printf '%s\\n' "$EPOCHREALTIME" >"$folder/started"`,
    'read -r boot </proc/sys/kernel/random/boot_id',
    'printf \'%s\\n\' "$boot" >"$folder/boot"',
    'printf \'%s\\n\' "$BASHPID" >"$folder/pid"',
    'exec </dev/null >>"$folder/output" 2>&1',
    // Nothing ever comes on it: whoever reads from it waits, without a process.
    '[ -n "$idle" ] || exec {idle}<> <(:)',
    `export HOME=${quote(paths.home)} GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive`,
    'finish() {',
    `  printf '%s\\n' "$EPOCHREALTIME" >"$folder/finished"`,
    '  printf \'%s\\n\' "$1" >"$folder/exit"',
    '  exit 0',
    '}',
    ...watchDeadline(patienceSeconds),
    'run_command() {',
    '  local index=$1 limit=$2 command watch code cause=exit',
    `  local remaining=$((${step.limitSeconds} - SECONDS))`,
    '  ((remaining >= 1)) || remaining=1',
    '  ((limit > 0 && limit < remaining)) || limit=$remaining',
    `  printf '==> %s\\n' "$3"`,
    // In a process group of its own, so that it ends with all it has started.
    '  set -m',
    '  bash -- "$folder/command-$index" {idle}<&- &',
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
    '  printf \'%s %s %s\\n\' "$index" "$cause" "$limit" >"$folder/failed"',
    '  finish "$code"',
    '}',
  ]
  if (step.onlyWithExecutable !== null) {
    const file = quote(`${step.folder}/${step.onlyWithExecutable}`)
    lines.push(`[ -x ${file} ] || { : >"$folder/skipped"; finish 0; }`)
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

/** Bash lines that let the origin through, and note its numbers, unless the guest has seen newer ones. */
export function guard({ epoch, generation }: Origin, paths: GuestPaths = guestPaths): string[] {
  const fence = quote(paths.fence)
  const folder = quote(posix.dirname(paths.fence))
  return [
    'seen_epoch=0 seen_generation=0',
    `[ -s ${fence} ] && read -r seen_epoch seen_generation <${fence}`,
    `((seen_epoch <= ${epoch} && seen_generation <= ${generation})) || ` +
      `{ printf 'stale %s %s\\n' "$seen_epoch" "$seen_generation" >&2; exit ${staleExitCode}; }`,
    `((seen_epoch == ${epoch} && seen_generation == ${generation})) || ` +
      `{ [ -d ${folder} ] || mkdir -p -- ${folder}; printf '%s %s\\n' ${epoch} ${generation} >${fence}; }`,
  ]
}
