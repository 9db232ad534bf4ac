import { quote } from '../../secure-shell/quote.ts'
import type { Origin } from '../guest.ts'
import { isAlive } from './process-functions.ts'
import { type GuestPaths, guard, guestPaths } from './step-script.ts'

/** One step as passed to the launcher; its script follows on the input, after the scripts of the steps before it. */
export interface LaunchedStep {
  key: string
  scriptBytes: number
  /** Number of bytes of the step's output that were already received. */
  offset: number
}

/** Exit code of the launcher: a script did not arrive whole, and nothing was started. */
export const cutOffExitCode = 75

/** Waits without starting a process: nothing is ever written to the file that it reads. */
const pause = 'read -r -t 0.02 -u "$idle"'

/** A step that had begun before the guest's last boot: only the ledger knows it. */
const isEarlier = '[ ! -e "$folder/run" ] && [ -e "$kept/outcome" ]'

/**
 * Runs steps one after another, independent of the connection that started them: the next step starts as soon as the
 * one before it has succeeded, whether or not anyone follows. A step that another sequence is already running is
 * waited for.
 */
const runSequence = [
  'run_sequence() {',
  '  local key folder kept pid code name value',
  '  for key; do',
  '    folder=$state/$key kept=$ledger/$key code=',
  // Forking this shell costs an emulated guest less than starting a new one.
  '    ( exec {ended}<&-; . "$folder/script" "$folder" "$kept" )',
  '    echo >&"$ended"',
  `    if ${isEarlier}; then`,
  '      while read -r name value; do [ "$name" = exit ] && code=$value; done <"$kept/outcome"',
  '    else',
  '      if [ ! -s "$folder/exit" ]; then',
  `        for _ in {1..100}; do [ -s "$folder/pid" ] && break; ${pause}; done`,
  '        read -r pid <"$folder/pid" && tail -f --pid="$pid" /dev/null',
  '      fi',
  '      read -r code 2>/dev/null <"$folder/exit"',
  '    fi',
  '    [ "$code" = 0 ] || exit',
  '  done',
  '}',
]

/**
 * Output up to this many bytes, of a step that takes up to this many seconds, is printed without starting a process.
 */
const shortOutput = { bytes: 4096, seconds: 0.5 }

/** Prints a step's output from `offset` on until the step ends, and then its outcome. */
const follow = [
  'follow() {',
  '  local folder=$state/$1 kept=$ledger/$1 offset=$2 pid= part= name value code=',
  '  local output=$kept/output',
  // The sequence announces the end of every step to all followers: it may be the end of an earlier step.
  `  until ((offset > 0)) || [ -s "$folder/exit" ] || ${isEarlier}; do`,
  `    read -r -t ${shortOutput.seconds} -u "$ended" || break`,
  '  done',
  `  until [ -s "$folder/exit" ] || [ -s "$folder/pid" ] || ${isEarlier}; do`,
  `    goes_on "$sequence" || break; ${pause}`,
  '  done',
  '  [ -s "$folder/pid" ] && read -r pid <"$folder/pid"',
  '  if [ ! -s "$folder/exit" ] && [ -n "$pid" ]; then',
  // A step that begins on a full disk has no output and reports that at once.
  `    until [ -e "$output" ] || [ -s "$folder/exit" ]; do kill -0 "$pid" 2>/dev/null || break; ${pause}; done`,
  '    [ ! -e "$output" ] || tail -c +"$((offset + 1))" -f -s 0.02 --pid="$pid" "$output"',
  '  elif [ -s "$output" ]; then',
  `    if ((offset > 0)) || IFS= read -r -d '' -N ${shortOutput.bytes} part <"$output"; then`,
  '      tail -c +"$((offset + 1))" "$output"',
  '    else',
  // Output that contains NUL bytes is passed on unchanged.
  '      { while IFS= read -r -d \'\' part; do printf \'%s\\0\' "$part"; done; printf %s "$part"; } <"$output"',
  '    fi',
  '  fi',
  `  printf '%s\\n' "$delimiter"`,
  `  if ${isEarlier}; then`,
  '    while read -r name value; do',
  '      [ -z "$name" ] || printf \'%s %s\\n\' "$name" "$value"',
  '      [ "$name" = exit ] && code=$value',
  '    done <"$kept/outcome"',
  '  else',
  '    for name in started finished failed skipped exit; do',
  '      value=',
  '      [ -e "$folder/$name" ] && { read -r value <"$folder/$name"; printf \'%s %s\\n\' "$name" "$value"; }',
  '      [ "$name" = exit ] && code=$value',
  '    done',
  '  fi',
  "  printf '\\n'",
  '  [ "$code" = 0 ] || exit 0',
  '}',
]

/**
 * The bash program that starts the steps that the ledger does not have. When the origin is outdated and a step has
 * not begun, it ends with exit code 76 and prints the newer numbers on standard error. For each step it prints the
 * output from `offset` on until the step ends, a line that begins with `delimiter`, the outcome as one `name value`
 * per line, and an empty line. It ends after the first step that did not succeed. It uses builtins where it can:
 * every process is expensive in an emulated guest.
 */
export function buildLauncher(
  steps: readonly LaunchedStep[],
  origin: Origin,
  delimiter: string,
  paths: GuestPaths = guestPaths,
): string {
  const keys = steps.map(({ key }) => quote(key))
  const folders = steps.map(({ key }) => quote(`${paths.state}/${key}`))
  const ledgers = steps.map(({ key }) => quote(`${paths.ledger}/${key}`))
  return [
    'umask 077',
    'exec {idle}<> <(:) {ended}<> <(:)',
    // The length is checked because a cut connection also ends the input.
    ...steps.map(
      ({ scriptBytes }, index) =>
        `IFS= LC_ALL=C read -r -d '' -N ${scriptBytes} script_${index}; ` +
        `LC_ALL=C; [ \${#script_${index}} = ${scriptBytes} ] || exit ${cutOffExitCode}`,
    ),
    // Anyone may follow a running step; starting one needs an origin that is not outdated.
    'new=',
    ...folders.map((folder, index) => `[ -e ${folder}/run ] || [ -e ${ledgers[index]}/outcome ] || new=1`),
    'if [ -n "$new" ]; then',
    ...guard(origin, paths),
    'fi',
    `[ -d ${folders.at(-1)} ] || mkdir -p -- ${folders.join(' ')} || exit`,
    // On a full disk the step itself reports that there is no space.
    `[ -d ${ledgers.at(-1)} ] || mkdir -p -- ${ledgers.join(' ')} 2>/dev/null`,
    // The first to create the file provides the script.
    'set -C',
    `origin=${quote(`${origin.runnerId} ${origin.epoch} ${origin.generation}`)}`,
    ...folders.map(
      (folder, index) =>
        `{ printf %s "$script_${index}" >${folder}/script && printf '%s\\n' "$origin" >${ledgers[index]}/origin; } 2>/dev/null`,
    ),
    'set +C',
    `state=${quote(paths.state)} ledger=${quote(paths.ledger)}`,
    ...runSequence,
    `run_sequence ${keys.join(' ')} </dev/null >/dev/null 2>&1 &`,
    'sequence=$!',
    `delimiter=${quote(delimiter)}`,
    ...isAlive,
    ...follow,
    ...keys.map((key, index) => `follow ${key} ${steps[index]?.offset ?? 0}`),
  ].join('\n')
}
