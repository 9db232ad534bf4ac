import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { quote } from '../../secure-shell/quote.ts'
import type { GuestMachine, IdentityTaking, Origin } from '../guest.ts'
import { endingOfRuns, processPathsAt } from './process-removal.ts'
import { type GuestPaths, guard, guestPaths } from './step-script.ts'

/** File that says whose ledger is in the guest: the machine id of the machine that wrote it. */
const ledgerOwnerPath = '/var/lib/hearth/machine'
const dbusMachineIdPath = '/var/lib/dbus/machine-id'
const serverProcessPath = '/run/sshd.pid'

/** Exit codes of the script: a file could not be written, and the kernel's random numbers are still another's. */
export const identityExitCodes = { unwritable: 74, notReseeded: 77 } as const

/** The line on which the script asks for the time, to be answered with seconds since 1970 on a line. */
export const clockRequest = 'clock'

/**
 * The bash program with which a guest gives up the identity it was frozen with. What it says about a boot holds for a
 * resumed guest too: afterwards it looks as if it had booted from its own seed disk. It may be cut at any point and run
 * again. What needs a process of its own runs at the same time, for that decides how long a fork takes.
 */
export function buildIdentityTaking(
  { files, formerHostKey, resumed }: IdentityTaking,
  { identity, address }: Pick<GuestMachine, 'identity' | 'address'>,
  origin: Origin,
  root = '',
): string {
  const at = (path: string) => quote(`${root}${path}`)
  const paths: GuestPaths = {
    ...guestPaths,
    ledger: `${root}${guestPaths.ledger}`,
    state: `${root}${guestPaths.state}`,
    fence: `${root}${guestPaths.fence}`,
  }
  const processes = processPathsAt(root)
  const others = [paths.ledger, paths.state, paths.fence, processes.ledger, processes.state]
  const owner = at(ledgerOwnerPath)
  return [
    'LC_ALL=C',
    'umask 022',
    ...(resumed ? [...startClock, ...startCuttingConnections, ...startReseeding(root)] : []),
    // Nobody ordered them of this machine, or not since it was frozen: who is to run is started again.
    ...(resumed ? [...endingOfRuns(processes), 'end_runs'] : []),
    // Another machine's steps, runs and numbers say nothing about this one.
    `owner=; [ -r ${owner} ] && read -r owner <${owner}`,
    `if [ "$owner" != ${quote(identity.machineId)} ]; then`,
    `  rm -rf -- ${others.map(quote).join(' ')}`,
    'fi',
    ...guard(origin, paths),
    ...write(root, ledgerOwnerPath, 0o644, `${identity.machineId}\n`),
    ...(resumed
      ? [
          ...files.flatMap(({ path, mode, content }) => write(root, path, mode, content.toString())),
          'umask 022',
          `printf '%s\\n' ${quote(identity.hostname)} >${at('/proc/sys/kernel/hostname')} || exit ${identityExitCodes.unwritable}`,
          // In Debian it is a link to /etc/machine-id.
          `[ ! -f ${at(dbusMachineIdPath)} ] || [ -L ${at(dbusMachineIdPath)} ] || ` +
            `printf '%s\\n' ${quote(identity.machineId)} >${at(dbusMachineIdPath)}`,
          `wait "$reseeding" || exit ${identityExitCodes.notReseeded}`,
          'wait $clock $cutting',
          'remove_groups',
          ...(formerHostKey === address.hostKey ? [] : restartServer(root)),
          // The journal's folder has the machine's id in its name, and journald looks once.
          'systemctl --no-block try-restart systemd-journald.service </dev/null >/dev/null 2>&1 &',
          'exit 0',
        ]
      : []),
  ].join('\n')
}

/** The guest's clock stood still while it was frozen. */
const startClock = [
  `printf '${clockRequest}\\n'`,
  'IFS= read -r now || exit 75',
  // By how much it is late, since what sets it takes its time to start.
  `late=$(( \${now/./} - \${EPOCHREALTIME/[.,]/} / 1000 )) sign=+`,
  '((late < 0)) && sign=- late=$((-late))',
  `printf -v late '%s%d.%03d seconds' "$sign" $((late / 1000)) $((late % 1000))`,
  'date -u -s "$late" >/dev/null 2>&1 &',
  'clock=$!',
]

/**
 * Aborts connections whose other end belongs to the origin, so that programs do not wait for it. Those inside the guest
 * have both their ends in it and stay; so does the one to the agent.
 */
const startCuttingConnections = [
  'set -- $SSH_CONNECTION',
  'cutting=',
  'if [ -n "$4" ] && command -v ss >/dev/null; then',
  '  ss -H -K -t "src $3 and not dst $3 and not ( sport = :$4 and dport = :$2 )" </dev/null >/dev/null 2>&1 &',
  '  cutting=$!',
  'fi',
]

/** `RNDRESEEDCRNG`: without it the kernel uses what was written to its pool up to a minute later. */
const reseedRequest = '0x5207'

function startReseeding(root: string): string[] {
  const device = `${root}/dev/urandom`
  const perl = `open(POOL, "+<", $ARGV[0]) && ioctl(POOL, ${reseedRequest}, 0) || exit 1`
  const python = `import fcntl, sys; fcntl.ioctl(open(sys.argv[1], "wb"), ${reseedRequest})`
  return [
    // A guest that goes back to its own checkpoint was given its seed before.
    `printf %s ${quote(randomBytes(64).toString('hex'))} >${quote(device)}`,
    `{ perl -e ${quote(perl)} ${quote(device)} || python3 -c ${quote(python)} ${quote(device)}; } </dev/null >/dev/null 2>&1 &`,
    'reseeding=$!',
  ]
}

/** A new server process has the new key; sessions go on under their own. */
function restartServer(root: string): string[] {
  return [
    'server= name=',
    `read -r server <${quote(`${root}${serverProcessPath}`)} && read -r name <"/proc/$server/comm"`,
    'if [ "$name" = sshd ]; then kill -HUP "$server"',
    'else systemctl reload ssh.service || systemctl reload sshd.service; fi </dev/null >/dev/null 2>&1',
  ]
}

/** In place, since a rename would be a process more. */
function write(root: string, path: string, mode: number, content: string): string[] {
  const file = quote(`${root}${path}`)
  const folder = quote(posix.dirname(`${root}${path}`))
  return [
    `umask ${(0o777 & ~mode).toString(8).padStart(3, '0')}`,
    `[ -d ${folder} ] || (umask 022; mkdir -p -- ${folder})`,
    `printf %s ${quote(content)} >${file} || exit ${identityExitCodes.unwritable}`,
  ]
}
