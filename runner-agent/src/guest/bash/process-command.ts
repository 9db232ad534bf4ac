// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import type { GuestRun } from '../process.ts'
import { type ProcessPaths, processGroups } from './process-paths.ts'

/** One shell assignment a variable. They are in the memory of shells only, never in a file or among a program's words. */
function assignments(variables: GuestRun['variables']): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`"${name}" is no name of a variable`)
      return `export ${name}=${quote(value)}`
    })
    .join('\n')
}

/** What of a run its shell is prepared for. */
type PreparedRun = Pick<GuestRun, 'user' | 'folder' | 'command' | 'variables' | 'memoryMebibytes' | 'cpus'>

/**
 * Bash functions that prepare a run, and that become its command. `find_user`, `find_folder` and `limit` call `refuse` with
 * what a person should read where they cannot do their part.
 */
export function commandFunctions(run: PreparedRun, paths: ProcessPaths): string[] {
  return [
    `user=${quote(run.user)} directory=${quote(run.folder)} command=${quote(run.command)}`,
    `variables=${quote(assignments(run.variables))}`,
    'uid= gid= home= shell= setpriv=',
    ...findUser(paths.users),
    'find_folder() {',
    '  [ -d "$directory" ] || refuse "the folder $directory does not exist"',
    '}',
    ...limit(run, paths),
    ...become(paths.environmentFile),
  ]
}

function findUser(users: string): string[] {
  return [
    'find_user() {',
    '  local name rest',
    '  while IFS=: read -r name rest uid gid rest home shell; do',
    '    [ "$name" = "$user" ] && break',
    `  done <${quote(users)}`,
    // Users of a directory service are not in the file.
    '  [ "$name" = "$user" ] ||',
    '    IFS=: read -r name rest uid gid rest home shell < <(getent passwd -- "$user")',
    '  [ "$name" = "$user" ] || refuse "there is no user $user"',
    '  [ "$uid" = "$EUID" ] && return',
    // It needs no password, and asks no authentication module.
    '  hash setpriv || refuse "the machine has no setpriv (package util-linux), which it needs for the user $user"',
    '  setpriv=${BASH_CMDS[setpriv]}',
    '} 2>/dev/null',
  ]
}

/** Sets the limits of the run's control group, or empties `cgroup` where the guest has none and the run no limits. */
function limit({ memoryMebibytes, cpus }: PreparedRun, paths: ProcessPaths): string[] {
  const cpuPeriod = 100_000
  const limits = [
    {
      controller: 'memory',
      isSet: memoryMebibytes !== null,
      file: 'memory.max',
      value: memoryMebibytes === null ? 'max' : memoryMebibytes * 1024 * 1024,
      words: `memory limit of ${memoryMebibytes} MiB`,
    },
    {
      controller: 'cpu',
      isSet: cpus !== null,
      file: 'cpu.max',
      value: `${cpus === null ? 'max' : Math.max(1_000, Math.round(cpus * cpuPeriod))} ${cpuPeriod}`,
      words: `limit of ${cpus} CPUs`,
    },
  ]
  const isLimited = limits.some(({ isSet }) => isSet)
  const [root, groups] = [paths.controlGroups, processGroups(paths)].map((folder) =>
    quote(`${folder}/cgroup.subtree_control`),
  )
  return [
    'limit() {',
    '  if [ ! -e "$cgroup/cgroup.procs" ]; then',
    '    cgroup=',
    ...(isLimited
      ? [`    refuse 'the machine has no control groups (cgroup v2), which limits of memory and CPU need'`]
      : []),
    '    return',
    '  fi',
    ...limits.flatMap(({ controller, isSet, file, value, words }) =>
      isSet
        ? [
            `  [ -e "$cgroup/${file}" ] || { printf +${controller} >${root} && printf +${controller} >${groups}; }`,
            `  printf %s ${quote(String(value))} >"$cgroup/${file}" || refuse ${quote(`its ${words} cannot be set`)}`,
          ]
        : // An earlier run may have had one.
          [`  [ ! -e "$cgroup/${file}" ] || printf %s ${quote(String(value))} >"$cgroup/${file}"`],
    ),
    ...(memoryMebibytes === null
      ? []
      : [
          '  [ ! -e "$cgroup/memory.swap.max" ] || printf 0 >"$cgroup/memory.swap.max"',
          // Whatever exceeds the limit, the run is over.
          '  printf 1 >"$cgroup/memory.oom.group"',
        ]),
    '} 2>/dev/null',
    `is_limited=${isLimited ? 1 : ''}`,
  ]
}

/**
 * `become FOLDER COMMAND` turns the shell into a bash that runs the command: in the control group, by the user, with the
 * variables. These may have the names of the shell's own: from then on only its parameters are certain.
 */
function become(environmentFile: string): string[] {
  const file = quote(environmentFile)
  return [
    'become() {',
    '  if [ -n "$cgroup" ] && ! { printf 0 >"$cgroup/cgroup.procs"; } 2>/dev/null && [ -n "$is_limited" ]; then',
    `    printf '%s\\n' 'the command cannot be put into its control group' >"$folder/refused"`,
    '    exit 1',
    '  fi',
    '  { printf 0 >"/proc/$BASHPID/oom_score_adj"; } 2>/dev/null',
    '  exec {events}>&-',
    '  [ -z "$bell" ] || exec {bell}>&-',
    '  if [ "$uid" = "$EUID" ]; then set -- "$1" "$BASH" -c "$2"',
    '  else set -- "$1" "$setpriv" --reuid "$uid" --regid "$gid" --init-groups -- "$BASH" -c "$2"; fi',
    '  unset LC_ALL SSH_CLIENT SSH_CONNECTION SSH_TTY MAIL BASH_ENV ENV',
    '  umask 022',
    '  export HOME=$home USER=$user LOGNAME=$user SHELL=$shell',
    `  if [ -f ${file} ]; then set -a; . ${file}; set +a; fi`,
    '  eval "$variables"',
    '  cd -- "$1" && shift && exec "$@"',
    '}',
  ]
}
