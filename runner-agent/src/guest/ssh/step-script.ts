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
 * end `exit`. Making the folder `run` is the lock: a second start ends at once.
 */
export function buildStepScript(step: GuestStep, paths: GuestPaths = guestPaths): string {
  const preamble = `[ -f ${quote(paths.environmentFile)} ] && { set -a; . ${quote(paths.environmentFile)}; set +a; }; cd -- ${quote(step.folder)} || exit`
  const lines = [
    'folder=$1',
    'mkdir -- "$folder/run" 2>/dev/null || exit 0',
    'umask 077',
    `printf '%s\\n' "$EPOCHREALTIME" >"$folder/started"`,
    'printf \'%s\\n\' "$(</proc/sys/kernel/random/boot_id)" >"$folder/boot"',
    'printf \'%s\\n\' "$$" >"$folder/pid.new" && mv -- "$folder/pid.new" "$folder/pid"',
    'exec </dev/null >>"$folder/output" 2>&1',
    'umask 022',
    `export HOME=${quote(paths.home)} GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive`,
    'finish() {',
    `  printf '%s\\n' "$EPOCHREALTIME" >"$folder/finished"`,
    '  printf \'%s\\n\' "$1" >"$folder/exit.new" && mv -- "$folder/exit.new" "$folder/exit"',
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
 * on its input.
 */
export function buildLauncher(
  key: string,
  scriptBytes: number,
  offset: number,
  paths: GuestPaths = guestPaths,
): string {
  const folder = quote(`${paths.ledger}/${key}`)
  return [
    `folder=${folder}`,
    'if [ ! -d "$folder" ]; then',
    '  umask 077',
    `  mkdir -p -- ${quote(paths.ledger)}`,
    `  draft=$(mktemp -d ${quote(`${paths.ledger}/.draft.XXXXXX`)}) || exit 70`,
    // The length is checked because a cut connection also ends the input.
    `  head -c ${scriptBytes} >"$draft/script"`,
    `  [ "$(stat -c %s "$draft/script")" = ${scriptBytes} ] || { rm -rf -- "$draft"; exit 75; }`,
    '  : >"$draft/output"',
    // Renaming onto a folder that holds something fails: of two starters one wins.
    '  mv -T -- "$draft" "$folder" 2>/dev/null || rm -rf -- "$draft"',
    'fi',
    '[ -e "$folder/run" ] || setsid bash -- "$folder/script" "$folder" </dev/null >/dev/null 2>&1 &',
    'for _ in {1..100}; do [ -e "$folder/pid" ] && break; sleep 0.05; done',
    'alive=no',
    'if [ -e "$folder/pid" ] && [ "$(<"$folder/boot")" = "$(</proc/sys/kernel/random/boot_id)" ]; then alive=yes; fi',
    'if [ ! -e "$folder/exit" ] && [ $alive = yes ]; then',
    `  tail -c +${offset + 1} -f -s 0.1 --pid="$(<"$folder/pid")" "$folder/output"`,
    'else',
    `  tail -c +${offset + 1} "$folder/output"`,
    'fi',
    'say() { [ -e "$folder/$1" ] && printf \'%s %s\\n\' "$1" "$(<"$folder/$1")" >&2; }',
    'say started; say finished; say failed; say skipped; say exit',
    ':',
  ].join('\n')
}
