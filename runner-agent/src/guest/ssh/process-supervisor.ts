// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's

import { commandFunctions } from '../bash/process-command.ts'
import { output, type ProcessPaths, wishFile } from '../bash/process-paths.ts'
import type { GuestRun } from '../process.ts'
import { keepOutput } from './process-output.ts'
import { readinessFunctions } from './process-readiness.ts'

/** Number of bytes reserved on the disk for a run's outcome before it begins; the outcome overwrites them. */
const outcomeBytes = 256

/** Hundredths of a second that what was killed has to be gone; the kernel may hold on to a process for longer. */
const goneWithin = 1_000

/** Hundredths of a second that the last output has to be kept once the processes are gone. */
const outputWithin = 400

/**
 * The bash function that is a run, from its start to its end. It runs in a shell of its own, which no connection ends, and
 * knows the run by its number. Times are hundredths of a second since the guest's boot: its clock may be set meanwhile.
 */
export function supervisorFunctions(run: GuestRun, paths: ProcessPaths): string[] {
  return [
    ...keepOutput,
    ...commandFunctions(withWish(run, paths), paths),
    ...refuse,
    ...finish,
    ...becomeReady,
    ...runCommand,
    ...ending(run),
    'look_at_clock() {',
    '  local rest',
    '  read -r now rest </proc/uptime',
    '  now=$((10#${now/./}))',
    '}',
    ...waitForEvent,
    ...awaitReader,
    ...forgetOlder,
    ...supervise(run),
  ]
}

const withWish = (run: GuestRun, paths: ProcessPaths): GuestRun => ({
  ...run,
  variables: { ...run.variables, HEARTH_WISH: wishFile(run.processId, paths) },
})

/** Ends the run before its command begins. */
const refuse = [
  'refuse() {',
  // On a full disk the line is kept in memory.
  `  printf 'hearth: %s\\n' "$1" >>"$kept/output/${output.firstName}" || printf 'hearth: %s\\n' "$1" >"$folder/said"`,
  '  cause=refused finished=$EPOCHREALTIME',
  '  finish',
  '} 2>/dev/null',
]

const finish = [
  'finish() {',
  '  local ending',
  `  printf -v ending 'finished %s\\ncause %s\\n' "$finished" "$cause"`,
  `  [ -z "$code" ] || ending+="exit $code"$'\\n'`,
  `  [ -z "$by_signal" ] || ending+="signal $by_signal"$'\\n'`,
  // Overwrites the reserved blanks, so that it needs no more disk space. Who is told of the end finds it in the record.
  '  { printf %s "$ending" 1<>"$kept/outcome"; } 2>/dev/null',
  '  printf %s "$ending" >"$folder/ended"',
  '  ring',
  // Whoever waits for the end does not wait for the disk.
  '  exec sync "$kept/outcome" 2>/dev/null',
  '}',
]

const becomeReady = [
  'become_ready() {',
  '  ready=$1 ready_by=',
  `  printf 'ready %s\\n' "$ready" >>"$folder/known"`,
  `  { printf 'ready %s\\n' "$ready" >>"$kept/known"; } 2>/dev/null`,
  `  printf '%s\\n' "$ready" >"$folder/ready"`,
  '  ring',
  '}',
]

/**
 * Runs the command in a process group of its own, and tells the supervisor how it ended. A shell's exit code does not
 * tell an exit with 137 from SIGKILL, but its list of jobs does, as long as it has not been waited for.
 */
const runCommand = [
  'run_command() {',
  '  local main code by_signal= line=',
  `  trap 'jobs -l >"$folder/jobs"' CHLD`,
  '  set -m',
  '  ( become "$directory" "$command" ) </dev/null >&"$out" 2>&"$out" {out}>&- &',
  '  main=$!',
  '  set +m',
  '  exec {out}>&-',
  `  printf 'begun %s ;\\n' "$main" >&"$events"`,
  '  wait "$main"',
  '  code=$?',
  '  { read -r line <"$folder/jobs"; } 2>/dev/null',
  '  if ((code > 128)) && [[ $line != *" $main Exit "* ]]; then by_signal=$((code - 128)) code=; fi',
  `  printf 'ended %s %s %s ;\\n' "$EPOCHREALTIME" "\${code:--}" "$by_signal" >&"$events"`,
  '}',
]

function ending({ stopSignal, graceSeconds }: GuestRun): string[] {
  return [
    // Signals each process once: programs take a second signal for impatience.
    'ask_to_end() {',
    '  local pid asked=',
    '  if is_populated; then',
    `    while read -r pid; do kill -s ${stopSignal} "$pid" && asked=1; done <"$cgroup/cgroup.procs"`,
    '  fi',
    `  [ -n "$asked" ] || [ -z "$group" ] || kill -s ${stopSignal} -- "-$group"`,
    `  kill_at=$((now + ${graceSeconds * 100}))`,
    '} 2>/dev/null',
    'end_for() {',
    '  cause=$1',
    '  end_trying',
    '  ready_by= limit_at=',
    '  ask_to_end',
    '}',
  ]
}

/**
 * Waits for the next event, or until something is due: at most a second, after which the file `stop` is looked for. A `read`
 * whose time is up does not say whether it has taken the end of a line, so that each event ends with a semicolon.
 */
const waitForEvent = [
  'await_event() {',
  '  local at line left=100',
  '  [ -z "$main_over" ] && [ -z "$killed" ] || left=2',
  '  for at in $limit_at $kill_at $ready_by $try_at $try_by; do',
  '    ((at > now && at - now < left)) && left=$((at - now))',
  '  done',
  `  printf -v left '%d.%02d' $((left / 100)) $((left % 100))`,
  '  word= first= second= third=',
  '  IFS= read -r -t "$left" -u "$events" line',
  '  said+=$line',
  '  [[ $said == *\\; ]] || return',
  '  set -- ${said%;}',
  '  word=$1 first=$2 second=$3 third=$4 said=',
  '}',
]

/** Waits until all output is kept. A process outside the group may still hold the output open. */
const awaitReader = [
  'await_reader() {',
  '  look_at_clock',
  `  local latest=$((now + ${outputWithin}))`,
  '  while goes_on "$reader"; do',
  '    look_at_clock',
  '    if ((now >= latest)); then kill "$reader"; break; fi',
  // It says so, unless a program has taken over.
  '    [ "$word" = kept ] && break',
  '    IFS=" " read -r -t 0.005 -u "$events" word first',
  '  done',
  '} 2>/dev/null',
]

/** Of earlier runs only the last one is kept. */
const forgetOlder = [
  'forget_older() {',
  '  local path name older=()',
  '  for path in "$state"/*/ "$ledger"/*/; do',
  '    name=${path%/} name=${name##*/}',
  '    [[ $name =~ ^[1-9][0-9]{0,9}$ ]] && ((name < number - 1)) && older+=("$path")',
  '  done',
  '  if ((${#older[@]} > 0)); then rm -rf -- "${older[@]}" & fi',
  '}',
]

function supervise(run: GuestRun): string[] {
  const { request, restarts, limitSeconds, readiness } = run
  return [
    'count_kills() {',
    '  local name value',
    '  kills=0',
    '  [ -n "$cgroup" ] && [ -e "$cgroup/memory.events" ] || return',
    '  while read -r name value; do [ "$name" = oom_kill ] && kills=$value; done <"$cgroup/memory.events"',
    '}',
    'supervise() {',
    '  local started=$EPOCHREALTIME started_ticks now cause= code= by_signal= finished= main_over= killed=',
    '  local kill_at= limit_at= ready_by= try_at= try_by= ready= known kills kills_before watcher reader tries syncing',
    '  local word first second third said= silent=0',
    // It holds little memory, and the run needs it.
    '  { printf -- -500 >"/proc/$BASHPID/oom_score_adj"; } 2>/dev/null',
    // Nobody needs to be connected: the shell reads what others write to it.
    '  open_pipe',
    '  events=$pipe',
    '  ticks_of "$BASHPID"',
    `  printf -v known 'request %s\\nrestarts %s\\nstarted %s\\n' ${request} ${restarts} "$started"`,
    '  printf %s "$known" >"$folder/known"',
    // Who finds this file finds the others too.
    `  printf '%s %s %s\\n' "$BASHPID" "$started_ticks" "$events" >"$folder/supervisor"`,
    '  ring',
    '  look_at_clock',
    '  {',
    `    : >"$kept/request-${request}" && printf %s "$known" >"$kept/known" &&`,
    `      : >>"$kept/output/${output.firstName}" &&`,
    `      printf '%${outcomeBytes - 1}s\\n' '' >"$kept/outcome"`,
    "  } 2>/dev/null || refuse 'the disk of the machine is full'",
    // Whenever the power fails, a command that has begun is not begun again: the disk has its record, and the way there.
    '  sync "$kept/known" "$kept/outcome" "$kept" "$ledger" "${ledger%/*}" "${ledger%/*/*}" 2>/dev/null &',
    '  syncing=$!',
    // Of a run whose supervisor was killed.
    '  for ((tries = 0; tries < 200; tries += 1)); do is_left || break; kill_left; read -r -t 0.02 -u "$events"; done',
    '  find_user',
    '  find_folder',
    '  limit',
    '  count_kills',
    '  kills_before=$kills',
    '  look_at_clock',
    ...readinessFunctions(readiness).map((line) => `  ${line}`),
    ...(limitSeconds === null ? [] : [`  limit_at=$((now + ${limitSeconds * 100}))`]),
    '  exec {out}> >(keep_output)',
    '  reader=$!',
    // Otherwise a program of another user could not open /dev/stdout.
    '  [ -z "$setpriv" ] || chown -- "$uid" "/proc/self/fd/$out" 2>/dev/null',
    `  wait "$syncing" || refuse 'the disk of the machine does not keep what is written to it'`,
    '  run_command &',
    '  watcher=$!',
    '  exec {out}>&-',
    '  until [ "$word" = begun ]; do await_event; done',
    '  group=$first',
    `  ticks_of "$group" && printf '%s %s\\n' "$group" "$started_ticks" >"$folder/main"`,
    ...(readiness === null ? ['  become_ready "$started"'] : []),
    '  forget_older',
    '  while :; do',
    '    look_at_clock',
    '    if [ -n "$main_over" ]; then',
    '      is_left || break',
    // What its command left behind is ended like the command itself.
    '      [ -n "$kill_at" ] || ask_to_end',
    '    elif [ -z "$cause" ]; then',
    '      [ -n "$ready" ] || watch_readiness',
    '      if [ -e "$folder/stop" ]; then end_for stopped',
    '      elif [ -n "$limit_at" ] && ((now >= limit_at)); then end_for deadline',
    '      elif [ -n "$ready_by" ] && ((now >= ready_by)); then end_for not_ready; fi',
    '    fi',
    '    if [ -n "$kill_at" ] && ((now >= kill_at)); then',
    '      killed=1',
    '      kill_left',
    `      [ -n "$main_over" ] && ((now >= kill_at + ${goneWithin})) && break`,
    '    fi',
    '    await_event',
    '    case $word in',
    '      answer) take_answer "$first" "$second" ;;',
    '      ended) main_over=1 finished=$first code=${second#-} by_signal=$third; end_trying; ready_by= limit_at= ;;',
    '    esac',
    // Only somebody who means ill ends the shell that watches over the command; what it said last may be unread.
    '    if [ -n "$main_over$word" ] || goes_on "$watcher"; then silent=0',
    '    elif ((silent += 1, silent > 1)); then main_over=1 cause=lost finished=$EPOCHREALTIME; fi',
    '  done',
    '  await_reader',
    '  [ -z "$cause" ] && [ -e "$folder/refused" ] && read -r word <"$folder/refused" && refuse "$word"',
    '  count_kills',
    '  if [ -z "$cause" ]; then',
    '    if ((kills > kills_before)) && [ "$code" != 0 ]; then cause=memory',
    '    elif [ -n "$by_signal" ]; then cause=signal',
    '    else cause=exit; fi',
    '  fi',
    '  finish',
    '}',
  ]
}
