import { quote } from '../../secure-shell/quote.ts'
import { type ProcessPaths, pathsOf, processPaths } from '../bash/process-paths.ts'
import type { Origin } from '../guest.ts'
import type { GuestRun } from '../process.ts'
import { followerFunctions } from './process-follower.ts'
import { processFunctions } from './process-functions.ts'
import { supervisorFunctions } from './process-supervisor.ts'
import { guard } from './step-script.ts'

/**
 * The bash program that starts a run unless the guest has it or a newer one, and follows it. When the origin is outdated and
 * the run would have to be started, it ends with exit code 76 and prints the newer numbers on standard error. It holds the
 * run's variables, and so belongs on a shell's input.
 */
export function buildRunLauncher(
  run: GuestRun,
  offset: number,
  origin: Origin,
  delimiter: string,
  paths: ProcessPaths = processPaths,
): string {
  const own = pathsOf(run.processId, paths)
  return [
    ...processFunctions(own),
    ...followerFunctions,
    ...supervisorFunctions(run, paths),
    `wanted=${run.number} offset=${offset} delimiter=${quote(delimiter)}`,
    // They share a control group.
    'while newest; ((number > 0 && number < wanted)); do',
    '  enter "$number"',
    '  conclude',
    '  [ -n "$over" ] && break',
    '  pause 0.1',
    'done',
    'enter "$wanted"',
    'if ((number < wanted)); then',
    '  set -- "$folder" "$kept/output"',
    `  [ -e ${quote(`${paths.controlGroups}/cgroup.controllers`)} ] && set -- "$@" "$cgroup"`,
    // The run itself says what it lacks.
    '  mkdir -p -- "$@" 2>/dev/null',
    ...guard(origin, own),
    '  number=$wanted',
    '  if { set -C; : >"$folder/run"; } 2>/dev/null; then',
    '    set +C',
    '    open_pipe',
    '    bell=$pipe',
    '    ( supervise ) </dev/null >/dev/null 2>&1 &',
    '  fi',
    '  set +C',
    '  [ -e "$folder/run" ] || exit',
    'fi',
    'if [ ! -e "$folder/run" ] && [ ! -e "$kept" ]; then',
    `  printf '%s ended\\nnumber %s\\nrequest ${run.request}\\nrestarts ${run.restarts}\\nstarted 0.0\\nfinished 0.0\\ncause lost\\n\\n' "$delimiter" "$wanted"`,
    '  exit',
    'fi',
    'number=$wanted',
    'follow',
  ].join('\n')
}
