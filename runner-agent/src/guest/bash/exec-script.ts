// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import type { GuestExec } from '../call.ts'
import { commandFunctions } from './process-command.ts'
import { type ProcessPaths, processGroups, processPaths } from './process-paths.ts'

/** Hundredths of a second that what is asked to end has before it is killed. */
const patience = 200
/** How often, for 10 ms each, output is waited for that a process left behind may still write. */
const outputWaits = 100

/**
 * The bash program that runs one command and then prints, after `delimiter`: how it ended, the length of both outputs, and
 * as much of them as was asked for. The command is ended when the program's input ends, as it does when its connection
 * does, or when the time is up.
 */
export function buildExec(exec: GuestExec, delimiter: string, paths: ProcessPaths = processPaths): string {
  const { id, command, folder, limitSeconds, mostOutputBytes } = exec
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw new Error(`"${id}" cannot be the name of a folder`)
  const state = `${paths.state}-calls/${id}`
  const group = `${processGroups(paths)}/call-${id}`
  const run = { user: 'root', folder, command, variables: {}, memoryMebibytes: null, cpus: null }
  return [
    'umask 077',
    `kept=${quote(state)} most=${mostOutputBytes} limit=${limitSeconds} delimiter=${quote(delimiter)} cgroup= bell= sizes=`,
    'folder=$kept',
    'refuse() {',
    '  case $1 in "the folder "*) set -- no_folder ;; *) set -- full ;; esac',
    `  printf '%s refused %s\\n' "$delimiter" "$1"`,
    '  leave',
    '}',
    ...commandFunctions(run, paths),
    ...keepOutput,
    ...endAll,
    // No trap: a child that is killed before it has put aside its parent's traps would run it, too.
    'leave() {',
    '  rm -rf -- "$kept"',
    '  [ -z "$cgroup" ] || rmdir -- "$cgroup"',
    '  exit 0',
    '} 2>/dev/null',
    'set -- "$kept"',
    `[ ! -e ${quote(`${paths.controlGroups}/cgroup.controllers`)} ] || { cgroup=${quote(group)}; set -- "$@" "$cgroup"; }`,
    'mkdir -p -- "$@" 2>/dev/null',
    '[ -d "$cgroup" ] || cgroup=',
    '{ : >"$kept/stdout" && : >"$kept/stderr"; } 2>/dev/null || refuse full',
    'find_user',
    'find_folder',
    'limit',
    // Nothing is ever written to it: reading from it waits without starting a process.
    'exec {idle}<> <(:) {ends}<> <(:) {events}<> <(:) {input}<&0',
    'exec {out}> >(keep_output stdout) {err}> >(exec {out}>&-; keep_output stderr)',
    'set -m',
    '( exec {idle}>&- {ends}>&- {input}<&-; become "$directory" "$command" ) ' +
      '</dev/null >&"$out" 2>&"$err" {out}>&- {err}>&- &',
    'main=$!',
    'set +m',
    'exec {out}>&- {err}>&-',
    '( watch_over ) <&"$input" >/dev/null 2>&1 &',
    'watcher=$!',
    'wait "$main" 2>/dev/null',
    'code=$?',
    'if [ -e "$kept/over" ]; then wait "$watcher" 2>/dev/null; else kill "$watcher" 2>/dev/null; fi',
    'read -r over 2>/dev/null <"$kept/over"',
    '[ "$over" != left ] || leave',
    // A read may be interrupted; that it is woken only saves time.
    'tries=0',
    `until [ -e "$kept/stdout-whole" ] && [ -e "$kept/stderr-whole" ] || ((tries += 1, tries > ${outputWaits})); do`,
    '  IFS= read -r -t 0.01 -u "$ends" word',
    'done',
    'set -- $(stat -c %s -- "$kept/stdout" "$kept/stderr" 2>/dev/null)',
    'for each in stdout stderr; do',
    '  size=${1:-0} cut=0',
    '  shift',
    '  if [ -e "$kept/$each-cut" ]; then cut=1; fi',
    '  if ((size > most)); then cut=1 size=$most; fi',
    '  sizes+=" $size $cut"',
    'done',
    `printf '%s ended %s%s\\n' "$delimiter" "\${over:-$code}" "$sizes"`,
    'head -q -c "$most" -- "$kept/stdout" "$kept/stderr" 2>/dev/null',
    'leave',
  ].join('\n')
}

/**
 * Keeps the beginning of an output, and notes whether there was more. Unlike `head`, `cat` writes what it has while more may
 * come, and whoever writes on is not held up.
 */
const keepOutput = [
  'keep_output() {',
  '  exec >/dev/null 2>&1',
  `  ( trap '' XFSZ; ulimit -f $((most / 1024 + 1)) && exec cat >"$kept/$1" ) ||`,
  '    { : >"$kept/$1-cut"; cat; }',
  '  : >"$kept/$1-whole"',
  `  printf '%s\\n' "$1" >&"$ends"`,
  '}',
]

/** Ends the command when its time is up or its caller has left, and says which. */
const endAll = [
  'signal_all() {',
  '  local pid',
  '  kill -s "$1" -- "-$main"',
  '  [ -n "$cgroup" ] || return',
  '  if [ "$1" = KILL ] && [ -e "$cgroup/cgroup.kill" ]; then printf 1 >"$cgroup/cgroup.kill"',
  '  else while read -r pid; do kill -s "$1" "$pid"; done <"$cgroup/cgroup.procs"; fi',
  '}',
  'is_left() {',
  '  local pid',
  '  kill -s 0 -- "-$main" && return',
  '  [ -n "$cgroup" ] && read -r pid <"$cgroup/cgroup.procs"',
  '}',
  'watch_over() {',
  '  local line waited=0',
  '  IFS= read -r -t "$limit" line',
  '  if (($? > 128)); then printf overdue; else printf left; fi >"$kept/draft"',
  '  echo >>"$kept/draft"',
  '  mv -- "$kept/draft" "$kept/over"',
  '  signal_all TERM',
  `  for ((; waited < ${patience}; waited += 5)); do is_left || return; read -r -t 0.05 -u "$idle"; done`,
  '  signal_all KILL',
  '}',
]
