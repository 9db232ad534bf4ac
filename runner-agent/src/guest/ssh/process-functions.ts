// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import type { PathsOfProcess } from './process-paths.ts'

/**
 * Bash functions that know the ledger of one process. They use builtins only: every process is expensive in an emulated
 * guest.
 *
 * Each run has two folders of its number. In the one in memory are `run`, whose exclusive creation is the lock;
 * `supervisor` and `main`, each a process id and when that process started, since ids are used again; `known`; `ready`;
 * `stop`, when it was asked for; and at the very end `ended`. In the one on the disk are `known`; `output`; and `outcome`,
 * blank from the beginning, and at the end the same as `ended`.
 */
export function processFunctions({ ledger, state, controlGroup }: PathsOfProcess): string[] {
  return [
    'LC_ALL=C',
    // Programs of the run are to speak the guest's own language.
    'export -n LC_ALL',
    'umask 077',
    `state=${quote(state)} ledger=${quote(ledger)} cgroup=${quote(controlGroup)}`,
    'over= number=0 group=',
    ...newest,
    'enter() { folder=$state/$1 kept=$ledger/$1; }',
    ...pause,
    ...isAlive,
    ...conclude,
    ...lose,
    ...readKnown,
    ...whatIsLeft,
  ]
}

/** Sets `number` to the newest run, or 0. */
const newest = [
  'newest() {',
  '  local path name',
  '  number=0',
  '  for path in "$state"/*/run "$ledger"/*/outcome; do',
  '    name=${path%/*} name=${name##*/}',
  '    [[ $name =~ ^[1-9][0-9]{0,9}$ ]] && [ -e "$path" ] && ((name > number)) && number=$name',
  '  done',
  '}',
]

/** Waits for so many seconds, and ends the program when the connection has ended. */
const pause = ['pause() {', '  local line', '  read -r -t "$1" line', '  (($? != 1)) || exit 0', '}']

/** Sets `started_ticks` of a process, or fails where there is none; one that only waits to be reaped is none. */
const isAlive = [
  'ticks_of() {',
  '  local stat',
  '  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return',
  // The name of the program may hold blanks.
  '  set -- ${stat##*) }',
  '  [ "$1" != Z ] && started_ticks=${20}',
  '}',
  'is_alive() {',
  '  local pid ticks rest',
  '  { read -r pid ticks rest <"$folder/$1"; } 2>/dev/null && ticks_of "$pid" && [ "$ticks" = "$started_ticks" ]',
  '}',
]

/**
 * How often, after 0.02 s each, a run that was begun is looked at before its supervisor counts as gone: a guest that is
 * emulated on a busy host may need seconds to start it, and one that is told as lost goes on.
 */
const startingTries = 1_500

/** Sets `over` if the run has ended. One without an end whose supervisor is gone has ended as lost. */
const conclude = [
  'conclude() {',
  '  local tries name value rest ending=',
  '  over=',
  '  if [ -e "$folder/run" ]; then',
  `    for ((tries = 0; tries < ${startingTries}; tries += 1)); do`,
  '      [ -s "$folder/ended" ] && { over=1; return; }',
  '      if [ -s "$folder/supervisor" ]; then',
  '        is_alive supervisor && return',
  // It may have ended in the meantime.
  '        [ -s "$folder/ended" ] && { over=1; return; }',
  '        break',
  '      fi',
  // It may have begun a moment ago.
  '      pause 0.02',
  '    done',
  '    lose "$EPOCHREALTIME"',
  '  else',
  `    { IFS= read -r -d '' ending <"$kept/outcome"; } 2>/dev/null`,
  '    over=1',
  '    [[ $ending == *cause\\ * ]] && return',
  // It was running when the guest went down, which was before this boot.
  '    while read -r name value rest; do [ "$name" = btime ] && break; done </proc/stat',
  '    lose "$value.0"',
  '  fi',
  '}',
]

const lose = [
  'lose() {',
  '  local ending pid',
  `  printf -v ending 'finished %s\\ncause lost\\n' "$1"`,
  '  { printf %s "$ending" 1<>"$kept/outcome"; } 2>/dev/null',
  '  over=1',
  '  [ -e "$folder/run" ] || return',
  // Nobody watches over what is left of it.
  '  is_alive main && read -r group pid <"$folder/main"',
  '  kill_left',
  '  printf %s "$ending" >"$folder/ended"',
  '}',
]

/** Sets `known` and `ending` to what is kept of the run, each a `name value` per line. */
const readKnown = [
  'read_known() {',
  '  known= ending=',
  `  { IFS= read -r -d '' known <"$folder/known"; IFS= read -r -d '' ending <"$folder/ended"; } 2>/dev/null`,
  `  [ -n "$known" ] || { IFS= read -r -d '' known <"$kept/known"; } 2>/dev/null`,
  // The power may have failed before it was on the disk.
  `  [ -n "$known" ] || known=$'request 0\\nrestarts 0\\nstarted 0.0\\n'`,
  `  [ -e "$folder/run" ] || { IFS= read -r -d '' ending <"$kept/outcome"; } 2>/dev/null`,
  '}',
]

/** Whether there are processes of the run, and how they are killed. */
const whatIsLeft = [
  'is_populated() {',
  '  local name value=0',
  '  { read -r name value <"$cgroup/cgroup.events"; } 2>/dev/null',
  '  [ "$value" = 1 ]',
  '}',
  'is_left() {',
  '  if [ -n "$group" ]; then',
  '    kill -0 -- "-$group" 2>/dev/null && return',
  // Its number may be given to others from now on.
  '    group=',
  '  fi',
  '  is_populated',
  '}',
  'kill_left() {',
  '  local pid',
  '  [ -z "$group" ] || kill -KILL -- "-$group"',
  '  is_populated || return',
  // Kernels before 5.14 cannot kill a whole group.
  '  printf 1 >"$cgroup/cgroup.kill" || while read -r pid; do kill -KILL "$pid"; done <"$cgroup/cgroup.procs"',
  '} 2>/dev/null',
]
