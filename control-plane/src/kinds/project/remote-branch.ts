import type { Destination, Outgoing } from '../../outgoing/index.ts'
import { type RepositoryAddress, repositoryAddress } from './repository-address.ts'

const bounds = { deadlineMilliseconds: 5_000, mostBytes: 65_536 }
/** Of `git ls-remote --exit-code`: the server answered, and has no such branch. */
const absentExitCode = 2

/** `unknown`: why it could not be asked from here. */
export type BranchAnswer = 'there' | 'missing' | { unknown: string }

/**
 * Whether a git server has a branch or tag of this name. `token` is the password for an https:// URL. The server learns
 * nothing else of this host, and only the checked address is connected to.
 */
export async function askForBranch(
  outgoing: Outgoing,
  repository: { url: string; branch: string; token: string | null },
  signal: AbortSignal,
): Promise<BranchAnswer> {
  const address = repositoryAddress(repository.url)
  if (address === null)
    return { unknown: 'its server is not asked from here: only https://, http:// and git:// are' }
  const answer = await outgoing.inTurn(signal, async (): Promise<BranchAnswer> => {
    const judged = await outgoing.judge(address, signal)
    if (judged === 'not public')
      return { unknown: 'its address is not public, and HEARTH_REPOSITORY_HOSTS does not name it' }
    if (judged === 'unresolved') return { unknown: 'its host was not found' }
    return listReferences(outgoing, repository, address, judged, signal)
  })
  return answer ?? { unknown: 'too many repositories are asked at this moment' }
}

async function listReferences(
  outgoing: Outgoing,
  { branch, token }: { branch: string; token: string | null },
  address: RepositoryAddress,
  { address: pinnedTo }: Destination,
  signal: AbortSignal,
): Promise<BranchAnswer> {
  const { url, settings, environment } = address.pinned(pinnedTo)
  const references = [`refs/heads/${branch}`, `refs/tags/${branch}`]
  const ended = await outgoing.run(
    {
      command: 'git',
      arguments: [
        ...[...settings, ...ownSettings, ...credentials(token)].flatMap((setting) => ['-c', setting]),
        ...['ls-remote', '--exit-code', '--', url, ...references],
      ],
      environment: {
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CEILING_DIRECTORIES: '/',
        GIT_ALLOW_PROTOCOL: address.protocol,
        GIT_TERMINAL_PROMPT: '0',
        ...environment,
        ...(token === null ? {} : { HEARTH_GIT_TOKEN: token }),
      },
    },
    bounds,
    signal,
  )
  if (ended?.exitCode === absentExitCode) return 'missing'
  if (ended?.exitCode !== 0) return { unknown: 'its server gave no answer' }
  // Git's patterns match the end of a name, so the whole name is compared.
  const names = ended.output.split('\n').map((line) => line.split('\t')[1])
  return names.some((name) => name !== undefined && references.includes(name)) ? 'there' : 'missing'
}

/** No redirect to where nothing was judged; no credentials but the token, also no Kerberos ticket. */
const ownSettings = [
  'http.followRedirects=false',
  'http.proxy=',
  'http.emptyAuth=false',
  'credential.helper=',
  'core.askPass=',
]

function credentials(token: string | null): string[] {
  const helper = `!f() { [ "$1" = get ] && printf 'username=hearth\\npassword=%s\\n' "$HEARTH_GIT_TOKEN"; }; f`
  return token === null ? [] : [`credential.helper=${helper}`]
}
