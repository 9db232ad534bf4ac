// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import type { PathsOfProcess } from '../bash/process-paths.ts'

/**
 * Bash functions that know the ledger of one process. They use builtins only: every process is expensive in an emulated
 * guest.
 *
 * Each run has two folders of its number. In the one in memory are `run`, whose exclusive creation is the lock;
 * `supervisor` and `main`, each a process id and when that process started, since ids are used again; `known`; `ready`;
 * `stop`, when it was asked for; and at the very end `ended`. In the one on the disk are `request-` with the request's
 * number, an empty file; `known`; `output`; and `outcome`, blank from the beginning, and at the end the same as `ended`.
 * What a failing power leaves empty or torn counts as not there.
 */
export function processFunctions({ ledger, state, controlGroup }: PathsOfProcess): string[] {
  return [
    'LC_ALL=C',
    // Programs of the run are to speak the guest's own language.
    'export -n LC_ALL',
    'umask 077',
    `state=${quote(state)} ledger=${quote(ledger)} cgroup=${quote(controlGroup)}`,
    'over= number=0 group= lost_at= bell=',
    ...newest,
    'enter() { folder=$state/$1 kept=$ledger/$1; }',
    ...openPipe,
    ...pause,
    ...isAlive,
    ...readEnding,
    ...conclude,
    ...lose,
    ...readKnown,
    ...whatIsLeft,
  ]
}

/** A time as bash's EPOCHREALTIME shows it, in a regular expression between the quotes of `$'...'`. */
const time = '[0-9]{1,12}\\\\.[0-9]{1,6}'

/** More characters than any record of a run has. */
const mostRecordCharacters = 512

/** Sets `number` to the newest run, or 0. */
const newest = [
  'newest() {',
  '  local path name',
  '  number=0',
  '  for path in "$state"/*/run "$ledger"/*/{request-*,known,outcome}; do',
  '    name=${path%/*} name=${name##*/}',
  '    [[ $name =~ ^[1-9][0-9]{0,9}$ ]] && [ -e "$path" ] && ((name > number)) && number=$name',
  '  done',
  '}',
]

/**
 * Sets `pipe` to a pipe that is open for both reading and writing, so that a shell reads what others write to it and never
 * its end. Bash keeps a short text for its input in a pipe since 5.1; before, a process has to be started for one.
 */
const openPipe = [
  'open_pipe() {',
  '  local text',
  "  exec {text}<<<''",
  '  if [ -p "/proc/self/fd/$text" ]; then exec {pipe}<>"/proc/self/fd/$text"; read -r -u "$pipe"',
  '  else exec {pipe}<> <(:); fi',
  '  exec {text}<&-',
  '}',
]

/**
 * Waits for so many seconds, or until the run rings where this program has a bell, and ends the program when the connection
 * has ended.
 */
const pause = [
  'pause() {',
  '  local line at_most=$1',
  '  if [ -n "$bell" ]; then',
  '    read -r -t "$at_most" -u "$bell" line',
  '    read -t 0 || return 0',
  '    at_most=0.01',
  '  fi',
  '  read -r -t "$at_most" line',
  '  (($? != 1)) || exit 0',
  '}',
  `ring() { [ -z "$bell" ] || printf '\\n' >&"$bell"; }`,
]

/**
 * `ticks_of` sets `started_ticks` of a process, or fails where there is none; one that only waits to be reaped is none.
 *
 * That bash reaps its own children is not certain, so that `kill -0` does not tell whether one has ended: since 5.2, a `read`
 * whose time is up before it has begun to wait sets the shell's signal mask to memory that nothing was written to, and
 * SIGCHLD may be blocked from then on. Shells that it forks, and `wait`, are not concerned.
 */
export const isAlive: readonly string[] = [
  'ticks_of() {',
  '  local stat',
  '  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return',
  // The name of the program may hold blanks.
  '  set -- ${stat##*) }',
  '  [ "$1" != Z ] && started_ticks=${20}',
  '}',
  'goes_on() {',
  '  local started_ticks',
  '  ticks_of "$1"',
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

/** Sets `ending` to how a run ended by what a file says, and fails where it does not say it in full. */
const readEnding = [
  `whole_ending=$'^finished ${time}\\ncause (exit\\nexit [0-9]{1,3}|signal\\nsignal [0-9]{1,2}|` +
    `(deadline|memory|not_ready|stopped|lost|refused)(\\nexit [0-9]{1,3}|\\nsignal [0-9]{1,2})?)\\n'`,
  'read_ending() {',
  '  ending=',
  `  { IFS= read -r -d '' -n ${mostRecordCharacters} ending <"$1"; } 2>/dev/null`,
  '  if [[ $ending =~ $whole_ending ]]; then ending=${BASH_REMATCH[0]}; else ending=; fi',
  '  [ -n "$ending" ]',
  '}',
]

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
  // Where nothing more fits into memory, only the disk has it.
  '    read_ending "$kept/outcome" && { over=1; return; }',
  '    lose "$EPOCHREALTIME"',
  '  else',
  '    over=1',
  '    read_ending "$kept/outcome" && return',
  // It was running when the guest went down, which was before this boot.
  '    while read -r name value rest; do [ "$name" = btime ] && break; done </proc/stat',
  '    lose "$value.0"',
  '  fi',
  '}',
]

const lose = [
  'lose() {',
  '  local ending pid',
  '  lost_at=$1',
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

/**
 * Sets `known` and `ending` to what is kept of the run, each a `name value` per line. A run whose record was lost has ended
 * as lost, and answered the request that its folder names; one without such a name never began.
 */
const readKnown = [
  `whole_known=$'^request [0-9]{1,10}\\nrestarts [0-9]{1,10}\\nstarted ${time}\\n(ready ${time}\\n)?'`,
  'read_known() {',
  '  local path request=0 at=$EPOCHREALTIME',
  '  if ! read_ending "$folder/ended" && ! read_ending "$kept/outcome" && [ -n "$over" ]; then',
  `    printf -v ending 'finished %s\\ncause lost\\n' "\${lost_at:-$at}"`,
  '  fi',
  '  for path in "$folder/known" "$kept/known"; do',
  '    known=',
  `    { IFS= read -r -d '' -n ${mostRecordCharacters} known <"$path"; } 2>/dev/null`,
  '    [[ $known =~ $whole_known ]] && { known=${BASH_REMATCH[0]}; return; }',
  '  done',
  '  for path in "$kept"/request-*; do',
  '    [[ ${path##*/} =~ ^request-([0-9]{1,10})$ ]] && request=${BASH_REMATCH[1]}',
  '  done',
  '  [[ $ending =~ ^finished\\ ([0-9.]+) ]] && at=${BASH_REMATCH[1]}',
  `  printf -v known 'request %s\\nrestarts 0\\nstarted %s\\n' "$request" "$at"`,
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
