import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

/**
 * Corrects permissions that earlier agents left too open in the machines' folders: files are accessible to their
 * owner only; folders can be entered by anyone who knows a name in them, as QEMU's user does, but not listed. Links
 * are not changed.
 */
export async function closeMachines(runner: CommandRunner, machinesFolder: string): Promise<void> {
  const script =
    '[ -d "$1" ] || exit 0; find "$1" -type d -perm /066 -exec chmod go-rw -- {} + && ' +
    'find "$1" -type f -perm /077 -exec chmod go= -- {} +'
  const { exitCode, stderr } = await runner.run(['sh', '-c', script, 'sh', machinesFolder])
  // A machine that is removed meanwhile needs no correction.
  const wrong = stderr
    .split('\n')
    .filter((line) => line !== '' && !line.includes('No such file or directory'))
  if (exitCode !== 0 && wrong.length > 0) {
    throw new HostError('host_refused', `the rights of the machines' files cannot be set: ${wrong[0]}`)
  }
}
