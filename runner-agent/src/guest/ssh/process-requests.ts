import { quote } from '../../secure-shell/quote.ts'
import { type ProcessPaths, pathsOf, processPaths, wishFile } from '../bash/process-paths.ts'
import type { Origin } from '../guest.ts'
import { processFunctions } from './process-functions.ts'
import { guard } from './step-script.ts'

/** The bash program that prints what is known of the newest run, one `name value` per line; nothing where there is none. */
export function buildNewestRun(processId: string, paths: ProcessPaths = processPaths): string {
  return [
    ...processFunctions(pathsOf(processId, paths)),
    'newest',
    '((number > 0)) || exit 0',
    'enter "$number"',
    'conclude',
    'read_known',
    // Until it is over, what the ledger holds is blank.
    `[ -n "$over" ] || ending=`,
    `printf 'number %s\\n%s%s' "$number" "$known" "$ending"`,
  ].join('\n')
}

/** The bash program that asks the newest run to end, and ends when nothing of it is left. */
export function buildStop(processId: string, origin: Origin, paths: ProcessPaths = processPaths): string {
  const own = pathsOf(processId, paths)
  return [
    ...processFunctions(own),
    ...guard(origin, own),
    'newest',
    '((number > 0)) || exit 0',
    'enter "$number"',
    'conclude',
    '[ -z "$over" ] || exit 0',
    ': >"$folder/stop"',
    // Otherwise its supervisor looks for the file once a second.
    '{ is_alive supervisor && read -r pid ticks events <"$folder/supervisor" && printf \'stop ;\\n\' >"/proc/$pid/fd/$events"; } 2>/dev/null',
    'looks=0',
    'until conclude; [ -n "$over" ]; do ((looks += 1, looks <= 50)) && pause 0.02 || pause 0.1; done',
  ].join('\n')
}

/** The bash program that puts a wish in place of the one before. */
export function buildTell(
  processId: string,
  wish: string,
  origin: Origin,
  paths: ProcessPaths = processPaths,
): string {
  const own = pathsOf(processId, paths)
  const file = wishFile(processId, paths)
  return [
    'umask 077',
    `mkdir -p -- ${quote(own.state)} ${quote(own.ledger)} || exit`,
    ...processFunctions(own),
    ...guard(origin, own),
    `printf %s ${quote(wish)} >${quote(`${file}.new`)} && mv -- ${quote(`${file}.new`)} ${quote(file)}`,
  ].join('\n')
}

/** Exit code of the program that forgets a process: a run has not ended. */
export const runningExitCode = 77

/** The bash program that removes all that the guest keeps of a process. */
export function buildForget(processId: string, origin: Origin, paths: ProcessPaths = processPaths): string {
  const own = pathsOf(processId, paths)
  const [state, ledger] = [quote(own.state), quote(own.ledger)]
  return [
    `[ -e ${state} ] || [ -e ${ledger} ] || exit 0`,
    ...processFunctions(own),
    ...guard(origin, own),
    'newest',
    'if ((number > 0)); then',
    '  enter "$number"',
    '  conclude',
    `  [ -n "$over" ] || { printf '%s\\n' "$number" >&2; exit ${runningExitCode}; }`,
    'fi',
    '[ ! -e "$cgroup" ] || rmdir -- "$cgroup"',
    // What it is fenced by goes last.
    `rm -rf -- "$ledger"/[1-9]* "$state" && rm -rf -- ${ledger}`,
  ].join('\n')
}
