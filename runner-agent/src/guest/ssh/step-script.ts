import { quote } from '../../secure-shell/quote.ts'
import type { GuestStep } from '../guest.ts'

/** Where in the guest the ledger and the variables are. */
export interface GuestPaths {
  ledger: string
  environmentFile: string
  home: string
}

export const guestPaths: GuestPaths = {
  ledger: '/var/lib/hearth/steps',
  environmentFile: '/home/.env',
  home: '/root',
}

/**
 * The bash program that is a step. It runs detached with its folder in the ledger as the only argument, and leaves
 * there: `output`, `pid` and `boot` (to tell whether it still runs), `started`, `finished`, `failed` and at the very
 * end `exit`. Making the file `run` is the lock: a second start ends at once. Builtins do what they can, because an
 * emulated guest pays for every process.
 */
export function buildStepScript(step: GuestStep, paths: GuestPaths = guestPaths): string {
  const lines = [
    'folder=$1',
    'umask 077',
    '{ set -C; : >"$folder/run"; } 2>/dev/null || exit 0',
    'set +C',
    `printf '%s\\n' "$EPOCHREALTIME" >"$folder/started"`,
    'read -r boot </proc/sys/kernel/random/boot_id',
    'printf \'%s\\n\' "$boot" >"$folder/boot"',
    'printf \'%s\\n\' "$$" >"$folder/pid"',
    'exec </dev/null >>"$folder/output" 2>&1',
    `export HOME=${quote(paths.home)} GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive`,
    'finish() {',
    `  printf '%s\\n' "$EPOCHREALTIME" >"$folder/finished"`,
    '  printf \'%s\\n\' "$1" >"$folder/exit"',
    '  exit 0',
    '}',
    'run_command() {',
    '  local index=$1 limit=$2 began=$SECONDS code cause=exit',
    `  local remaining=$((${step.limitSeconds} - SECONDS))`,
    '  ((remaining >= 1)) || remaining=1',
    '  ((limit > 0 && limit < remaining)) || limit=$remaining',
    `  printf '==> %s\\n' "$3"`,
    '  timeout --kill-after=10 "$limit" bash -- "$folder/command-$index"',
    '  code=$?',
    '  ((code == 0)) && return',
    '  (((code == 124 || code == 137) && SECONDS - began >= limit)) && cause=deadline',
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

/**
 * The bash program that starts a step unless the ledger has it, then prints its output from `offset` on until it
 * ends, then on the error stream how it ended, one `name value` a line. Takes the step's script, `scriptBytes` long,
 * on its input. Exit code 75: the script did not arrive whole and nothing was started.
 */
export function buildLauncher(
  key: string,
  scriptBytes: number,
  offset: number,
  paths: GuestPaths = guestPaths,
): string {
  const start = 'setsid bash -- "$folder/script" "$folder" </dev/null >/dev/null 2>&1 &'
  return [
    `folder=${quote(`${paths.ledger}/${key}`)}`,
    'umask 077',
    'pid=',
    'if [ ! -e "$folder/script" ]; then',
    // The length is checked because a cut connection also ends the input.
    `  IFS= LC_ALL=C read -r -d '' -N ${scriptBytes} script`,
    `  LC_ALL=C; [ \${#script} = ${scriptBytes} ] || exit 75`,
    '  mkdir -p -- "$folder"',
    // Only the one that makes the file starts it at once.
    '  if (set -C; printf %s "$script" >"$folder/script") 2>/dev/null; then',
    `    ${start}`,
    '    pid=$!',
    '  fi',
    'fi',
    'if [ -z "$pid" ]; then',
    '  for _ in {1..20}; do [ -s "$folder/pid" ] && break; sleep 0.1; done',
    // Whoever made the file was cut off before the start.
    `  [ -e "$folder/run" ] || { ${start} }`,
    '  for _ in {1..50}; do [ -s "$folder/pid" ] && break; sleep 0.1; done',
    '  read -r now </proc/sys/kernel/random/boot_id',
    '  [ -s "$folder/boot" ] && read -r boot <"$folder/boot" && [ "$boot" = "$now" ] && read -r pid <"$folder/pid"',
    'fi',
    'if [ ! -s "$folder/exit" ] && [ -n "$pid" ]; then',
    '  [ -e "$folder/output" ] || : >>"$folder/output"',
    `  tail -c +${offset + 1} -f -s 0.1 --pid="$pid" "$folder/output"`,
    'else',
    `  tail -c +${offset + 1} "$folder/output"`,
    'fi',
    'for name in started finished failed skipped exit; do',
    '  value=',
    '  [ -e "$folder/$name" ] && { read -r value <"$folder/$name"; printf \'%s %s\\n\' "$name" "$value" >&2; }',
    'done',
    ':',
  ].join('\n')
}
