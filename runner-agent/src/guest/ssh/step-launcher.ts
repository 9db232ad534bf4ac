import { quote } from '../../secure-shell/quote.ts'
import type { Origin } from '../guest.ts'
import { type GuestPaths, guard, guestPaths } from './step-script.ts'

/** One step as the launcher is given it; its script comes on the input, after those of the steps before it. */
export interface LaunchedStep {
  key: string
  scriptBytes: number
  /** Bytes of its output that are known already. */
  offset: number
}

/** Of the launcher: a script did not arrive whole, and nothing was started. */
export const cutOffExitCode = 75

/** Waits without a process of its own: nothing is ever written to what it reads. */
const pause = 'read -r -t 0.02 -u "$idle"'

/**
 * Runs steps one after another, apart from the connection that started them: the next starts the moment the one before
 * has succeeded, whether or not anyone follows. A step that another sequence runs already is waited for.
 */
const runSequence = [
  'run_sequence() {',
  '  local folder boot pid code',
  '  for folder; do',
  // A copy of this shell costs an emulated guest less than a new one.
  '    ( exec {ended}<&-; . "$folder/script" "$folder" )',
  '    echo >&"$ended"',
  '    if [ ! -s "$folder/exit" ]; then',
  `      for _ in {1..100}; do [ -s "$folder/pid" ] && break; ${pause}; done`,
  '      [ -s "$folder/boot" ] && read -r boot <"$folder/boot" && [ "$boot" = "$now" ] || exit',
  '      read -r pid <"$folder/pid" && tail -f --pid="$pid" /dev/null',
  '    fi',
  '    read -r code 2>/dev/null <"$folder/exit" && [ "$code" = 0 ] || exit',
  '  done',
  '}',
]

/** Of so many bytes at most, and of a step that takes so many seconds at most, the output is printed without a process. */
const shortOutput = { bytes: 4096, seconds: 0.5 }

/** Prints what a step says from `offset` on, until it ends, and then how it ended. */
const follow = [
  'follow() {',
  '  local folder=$1 offset=$2 pid= boot= part= name value',
  // The sequence says when a step is over, to nobody in particular: it may be the one before.
  '  until ((offset > 0)) || [ -s "$folder/exit" ]; do',
  `    read -r -t ${shortOutput.seconds} -u "$ended" || break`,
  '  done',
  '  until [ -s "$folder/exit" ] || [ -s "$folder/pid" ]; do',
  `    kill -0 "$sequence" 2>/dev/null || break; ${pause}`,
  '  done',
  '  [ -s "$folder/boot" ] && read -r boot <"$folder/boot" && [ "$boot" = "$now" ] && read -r pid <"$folder/pid"',
  '  if [ ! -s "$folder/exit" ] && [ -n "$pid" ]; then',
  '    [ -e "$folder/output" ] || : >>"$folder/output"',
  '    tail -c +"$((offset + 1))" -f -s 0.02 --pid="$pid" "$folder/output"',
  '  elif [ -s "$folder/output" ]; then',
  `    if ((offset > 0)) || IFS= read -r -d '' -N ${shortOutput.bytes} part <"$folder/output"; then`,
  '      tail -c +"$((offset + 1))" "$folder/output"',
  '    else',
  // Also what holds zero bytes comes through whole.
  '      { while IFS= read -r -d \'\' part; do printf \'%s\\0\' "$part"; done; printf %s "$part"; } <"$folder/output"',
  '    fi',
  '  fi',
  `  printf '%s\\n' "$delimiter"`,
  '  code=',
  '  for name in started finished failed skipped exit; do',
  '    value=',
  '    [ -e "$folder/$name" ] && { read -r value <"$folder/$name"; printf \'%s %s\\n\' "$name" "$value"; }',
  '    [ "$name" = exit ] && code=$value',
  '  done',
  "  printf '\\n'",
  '  [ "$code" = 0 ] || exit 0',
  '}',
]

/**
 * The bash program that starts steps unless the ledger has them (exit code 76, with the newer numbers on the error
 * stream, when the origin has been replaced and a step has not begun), then for each prints its output from `offset` on until
 * it ends, a line that begins with `delimiter`, how it ended as one `name value` a line, and an empty line. It ends
 * after the first step that did not succeed. Builtins do what they can: an emulated guest pays for every process.
 */
export function buildLauncher(
  steps: readonly LaunchedStep[],
  origin: Origin,
  delimiter: string,
  paths: GuestPaths = guestPaths,
): string {
  const folders = steps.map(({ key }) => quote(`${paths.ledger}/${key}`))
  return [
    'umask 077',
    'exec {idle}<> <(:) {ended}<> <(:)',
    // The length is checked because a cut connection also ends the input.
    ...steps.map(
      ({ scriptBytes }, index) =>
        `IFS= LC_ALL=C read -r -d '' -N ${scriptBytes} script_${index}; ` +
        `LC_ALL=C; [ \${#script_${index}} = ${scriptBytes} ] || exit ${cutOffExitCode}`,
    ),
    // What runs already is followed by anyone; who would start something must not have been replaced.
    'new=',
    ...folders.map((folder) => `[ -e ${folder}/run ] || new=1`),
    'if [ -n "$new" ]; then',
    ...guard(origin, paths),
    `[ -d ${folders.at(-1)} ] || mkdir -p -- ${folders.join(' ')}`,
    // Whoever makes the file first gives the script.
    'set -C',
    `origin=${quote(`${origin.runnerId} ${origin.epoch} ${origin.generation}`)}`,
    ...folders.map(
      (folder, index) =>
        `{ printf %s "$script_${index}" >${folder}/script && printf '%s\\n' "$origin" >${folder}/origin; } 2>/dev/null`,
    ),
    'set +C',
    'fi',
    'read -r now </proc/sys/kernel/random/boot_id',
    ...runSequence,
    `run_sequence ${folders.join(' ')} </dev/null >/dev/null 2>&1 &`,
    'sequence=$!',
    `delimiter=${quote(delimiter)}`,
    ...follow,
    ...folders.map((folder, index) => `follow ${folder} ${steps[index]?.offset ?? 0}`),
  ].join('\n')
}
