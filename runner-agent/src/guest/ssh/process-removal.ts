// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import { type ProcessPaths, processGroups, processPaths } from '../bash/process-paths.ts'
import { isAlive } from './process-functions.ts'

/** Where a guest whose files are below `root` keeps its tasks and services. */
export function processPathsAt(root: string): ProcessPaths {
  const { ledger, state, controlGroups, environmentFile, users } = processPaths
  return {
    ledger: `${root}${ledger}`,
    state: `${root}${state}`,
    controlGroups: `${root}${controlGroups}`,
    environmentFile: `${root}${environmentFile}`,
    users: `${root}${users}`,
  }
}

/**
 * Bash functions for a guest that is to be another machine's: `end_runs` kills all runs of all tasks and services, and who
 * watches over them, `remove_groups` their control groups. What was killed may hold a group for a moment; one that is left
 * is empty, and does no harm.
 */
export function endingOfRuns(paths: ProcessPaths): string[] {
  const state = quote(paths.state)
  return [
    ...isAlive,
    'run_groups=()',
    'end_runs() {',
    '  local path pid ticks rest',
    // Who watches over a run would note its end.
    `  for path in ${state}/*/*/supervisor ${state}/*/*/main; do`,
    '    read -r pid ticks rest <"$path" && ticks_of "$pid" && [ "$ticks" = "$started_ticks" ] || continue',
    '    [ "${path##*/}" = supervisor ] || pid=-$pid',
    '    kill -KILL -- "$pid"',
    '  done',
    `  for path in ${quote(processGroups(paths))}/*/cgroup.procs; do`,
    '    [ -e "$path" ] || continue',
    '    run_groups+=("${path%/*}")',
    '    printf 1 >"${path%procs}kill" || while read -r pid; do kill -KILL "$pid"; done <"$path"',
    '  done',
    '} 2>/dev/null',
    'remove_groups() {',
    '  ((${#run_groups[@]} == 0)) || rmdir -- "${run_groups[@]}"',
    '} 2>/dev/null',
  ]
}
