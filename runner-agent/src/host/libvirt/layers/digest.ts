import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'

/** A slow disk gives at least so much. */
const leastBytesPerMillisecond = 10_000

/** SHA-256 of files of any size on the host: in hexadecimal, in the order of the paths. */
export async function digestFiles(
  runner: CommandRunner,
  paths: readonly string[],
  bytes: number,
  signal?: AbortSignal,
): Promise<string[]> {
  // OpenSSL uses the processor's own instructions, which coreutils does not everywhere.
  const script =
    'for path; do if command -v openssl >/dev/null; then openssl dgst -sha256 -r -- "$path"; ' +
    'else sha256sum -- "$path"; fi || exit; done'
  const { exitCode, stdout, stderr } = await runner.run(['sh', '-c', script, 'sh', ...paths], {
    timeoutMilliseconds: 60_000 + Math.ceil(bytes / leastBytesPerMillisecond),
    ...(signal === undefined ? {} : { signal }),
  })
  const digests = stdout.split('\n').flatMap((line) => /^([0-9a-f]{64}) /.exec(line)?.[1] ?? [])
  if (exitCode === 0 && digests.length === paths.length) return digests
  throw new HostError('host_refused', `the digest of ${paths.join(', ')} cannot be made: ${stderr.trim()}`)
}
