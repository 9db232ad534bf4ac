import { execFile } from 'node:child_process'

const patienceMilliseconds = 5_000
/** Of `git ls-remote --exit-code`: the server answered, and has no such branch. */
const absentExitCode = 2

/**
 * Whether a git server has a branch or tag of this name; null when it cannot be asked from here: unreachable, private,
 * too slow, or no git on this machine. `token` is the password for an https:// URL.
 */
export async function remoteHasBranch(
  url: string,
  branch: string,
  token: string | null,
): Promise<boolean | null> {
  const helper = `!f() { [ "$1" = get ] && printf 'username=hearth\\npassword=%s\\n' "$HEARTH_GIT_TOKEN"; }; f`
  const credentials = token === null ? [] : ['-c', 'credential.helper=', '-c', `credential.helper=${helper}`]
  const references = [`refs/heads/${branch}`, `refs/tags/${branch}`]
  return new Promise((resolve) => {
    execFile(
      'git',
      [...credentials, 'ls-remote', '--exit-code', '--', url, ...references],
      {
        timeout: patienceMilliseconds,
        env: {
          PATH: '/usr/local/bin:/usr/bin:/bin',
          // Nothing of this machine may be read, nobody is asked, and no program is chosen by the URL.
          HOME: '/nonexistent',
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_ALLOW_PROTOCOL: 'https:http:git:ssh',
          GIT_TERMINAL_PROMPT: '0',
          GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=5',
          ...(token === null ? {} : { HEARTH_GIT_TOKEN: token }),
        },
      },
      (error) => {
        if (error === null) resolve(true)
        else resolve(error.code === absentExitCode ? false : null)
      },
    )
  })
}
