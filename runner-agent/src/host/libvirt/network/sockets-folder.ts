import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'

const ownFolder = `
folder="\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
if ! { [ -d "$folder" ] && [ -w "$folder" ]; }; then
  folder="/tmp/hearth-$(id -u)"
  mkdir -m 0700 -- "$folder" 2>/dev/null
  [ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] || exit 1
fi
printf '%s' "$folder"
`

/** Folder of the guest networks' sockets: empty after a boot, and writable by its owner only. */
export async function socketsFolder(runner: CommandRunner, isRoot: boolean): Promise<string> {
  if (isRoot) return '/run/hearth/guests'
  const result = await runner.run(['sh', '-c', ownFolder])
  if (result.exitCode === 0) return `${result.stdout}/hearth/guests`
  throw new HostError('host_refused', `no folder for sockets on ${runner.describedAs}: set XDG_RUNTIME_DIR`)
}
