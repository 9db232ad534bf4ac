import { quote } from '../../secure-shell/quote.ts'
import { processPaths } from '../bash/process-paths.ts'
import { environmentFilePath } from '../environment-file.ts'
import { freeSpaceScript } from './free-space-script.ts'
import { endingOfRuns, processPathsAt } from './process-removal.ts'
import { guestPaths } from './step-script.ts'

/** What is removed as it stands. A trailing slash means: what is in the folder, not the folder. */
const removed: readonly string[] = [
  environmentFilePath,
  // Who the guest is: the next start writes it anew from the machine's own seed.
  '/etc/ssh/ssh_host_*',
  '/etc/ssh/hearth/',
  '/var/lib/hearth/seed/',
  '/var/lib/systemd/random-seed',
  '/var/lib/cloud/instance',
  '/var/lib/cloud/instances/',
  '/var/lib/dhcp/',
  '/run/systemd/netif/leases/',
  // What it did: the output of steps and runs may hold anything.
  `${guestPaths.ledger}/`,
  `${processPaths.ledger}/`,
  `${processPaths.state}/`,
  guestPaths.fence,
  '/var/log/journal/',
  '/run/log/journal/',
  '/tmp/',
  '/var/tmp/',
  '/var/lib/apt/lists/',
  '/var/cache/apt/archives/*.deb',
]

/** In each home folder: what shells, editors and programs note about what was typed, and credentials kept in the clear. */
const removedAtHome: readonly string[] = [
  '.bash_history',
  '.zsh_history',
  '.ash_history',
  '.local/share/fish/fish_history',
  '.python_history',
  '.node_repl_history',
  '.psql_history',
  '.mysql_history',
  '.sqlite_history',
  '.lesshst',
  '.viminfo',
  '.wget-hsts',
  '.git-credentials',
  '.netrc',
]

/** Emptied, because programs expect the file. */
const emptied: readonly string[] = ['/etc/machine-id']

/**
 * The bash program that removes from a guest what belongs to one machine or was told to it, and gives freed blocks back
 * to the disk's file. It prints a line for each thing that could not be removed, and ends with 1 if there was one. `root`
 * is the folder taken for `/`.
 */
export function scrubScript(root = ''): string {
  const homes = [`${root}/root`, `${root}/home/*`]
  return [
    'shopt -s nullglob dotglob',
    'failed=0',
    // A file that is still open keeps its blocks until its program ends.
    ...(root === ''
      ? [
          'systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service 2>/dev/null',
        ]
      : []),
    ...endingOfRuns(processPathsAt(root)),
    'end_runs',
    'forget() {',
    '  for path in "$@"; do',
    '    rm -rf --one-file-system -- "$path" || failed=1',
    '  done',
    '}',
    ...removed.map((path) => `forget ${pattern(`${root}${path.endsWith('/') ? `${path}*` : path}`)}`),
    ...homes.flatMap((home) => removedAtHome.map((path) => `forget ${pattern(`${home}/${path}`)}`)),
    ...emptied.map(
      (path) => `[ -e ${quote(`${root}${path}`)} ] && { : >${quote(`${root}${path}`)} || failed=1; }`,
    ),
    // The files stay: programs that log do not make them again.
    `while IFS= read -r -d '' path; do : >"$path" || failed=1; done < <(find ${quote(`${root}/var/log`)} -xdev -type f -print0 2>/dev/null)`,
    'remove_groups',
    'sync',
    ...(root === ''
      ? [freeSpaceScript, 'clear_free_space || { printf "fstrim failed\\n"; failed=1; }', 'sync']
      : []),
    'exit "$failed"',
  ].join('\n')
}

/** Quotes all but the stars. */
function pattern(path: string): string {
  return path
    .split('*')
    .map((part) => (part === '' ? '' : quote(part)))
    .join('*')
}
