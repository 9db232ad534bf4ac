import { posix } from 'node:path'
import { isId } from '@hearth/foundation'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'
import { type PasstDescription, passtCommand } from './passt-command.ts'

/** Messages of a start that failed because the port was taken meanwhile. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

/**
 * Ends the passt process of a socket and removes its folder. A process belongs to the guest when the guest's socket
 * is an argument on its command line; a process id in a file is not trusted.
 */
const endScript = `
end_passt() {
  for file in /proc/[0-9]*/comm; do
    read -r name <"$file" 2>/dev/null || continue
    case "$name" in passt | passt.avx2) ;; *) continue ;; esac
    pid="\${file#/proc/}" pid="\${pid%/comm}"
    tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$1/passt.sock" || continue
    kill -TERM "$pid" 2>/dev/null
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
  done
  rm -rf -- "$1"
}
`

const startScript = `
umask 022
folder="$1" user="$2" emulator="$3"
shift 3
end_passt "$folder"
mkdir -p -m 0711 -- "\${folder%/*}" && mkdir -m 0711 -- "$folder" || exit 70
if [ -n "$user" ]; then chown "$user:$user" -- "$folder" || exit 70; fi
cd / && "$@" </dev/null || exit
# From here on the folder is not its user's: what is named below stays what it is. QEMU alone connects.
if [ -n "$user" ]; then chown 0:0 -- "$folder" || exit 70; fi
[ -S "$folder/passt.sock" ] && [ ! -L "$folder/passt.sock" ] || exit 70
chmod 0600 -- "$folder/passt.sock" || exit 70
if [ -n "$user" ]; then chown "$emulator" -- "$folder/passt.sock"; fi
`

/**
 * The networking processes of guests: one passt process per guest, which survives the agent and ends with its guest.
 */
export class Passt {
  constructor(
    private readonly runner: CommandRunner,
    /** Folder that holds a folder for each guest. Its path must be short: a socket's path has at most 107 bytes. */
    private readonly folder: string,
    /** Whether the user that runs commands may switch to other users. */
    private readonly isRoot: boolean,
    /** User id that QEMU runs under. */
    private readonly emulatorUser: () => Promise<number>,
  ) {}

  socket(environmentId: string): string {
    return posix.join(this.guestFolder(environmentId), 'passt.sock')
  }

  /** Starts a new passt process for the guest. Throws PortTaken when something already listens on its port. */
  async start(environmentId: string, description: Omit<PasstDescription, 'socket'>): Promise<void> {
    const command = passtCommand({ ...description, socket: this.socket(environmentId) })
    const emulator = this.isRoot ? await this.emulatorUser() : ''
    const parameters = [this.guestFolder(environmentId), String(description.user ?? ''), String(emulator)]
    const result = await this.runner.run([
      'sh',
      '-c',
      endScript + startScript,
      'sh',
      ...parameters,
      ...command,
    ])
    if (result.exitCode === 0) return
    const said = readable(result.stderr)
    await this.end(environmentId)
    if (/bind|Address already in use/i.test(said)) throw new PortTaken(said)
    throw new HostError(
      'host_refused',
      result.exitCode === 127
        ? `passt is not installed on ${this.runner.describedAs}: apt-get install passt, or set HEARTH_GUEST_NETWORK`
        : `the guest's network does not start: passt: ${said}`,
    )
  }

  /** Ends the guest's passt process, if there is one, and removes its folder. */
  async end(environmentId: string): Promise<void> {
    const script = `${endScript}\nend_passt "$1"`
    const result = await this.runner.run(['sh', '-c', script, 'sh', this.guestFolder(environmentId)])
    if (result.exitCode !== 0)
      throw new HostError('host_refused', `passt does not end: ${result.stderr.trim()}`)
  }

  private guestFolder(environmentId: string): string {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return posix.join(this.folder, environmentId)
  }
}

/** Removes passt's messages that it cannot reach the system log. */
function readable(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  return (
    lines
      .filter((line) => line !== '' && !/to syslog$/.test(line))
      .slice(-5)
      .join('; ')
      .slice(0, 500) || 'no reason given'
  )
}
