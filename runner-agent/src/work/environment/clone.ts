import type { ProvisioningPlan, Repository } from '@hearth/contract'
import type { GuestCommand } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'
import { updateScript } from './update-repository.ts'

/** Folder in memory: the credentials of a repository are never on a disk and are removed after its clone. */
const credentialFolder = '/run/hearth/git'

/** What a clone needs beside the repository, as private files of the guest. */
export function credentialFiles(
  repository: Repository,
  secrets: Readonly<Record<string, string>>,
): { path: string; content: string }[] {
  const files: { path: string; content: string }[] = []
  const { token, deployKey, knownHosts } = repository
  if (token !== undefined) files.push({ path: tokenFile(repository), content: secrets[token] ?? '' })
  if (deployKey !== undefined) {
    // ssh refuses a key without a newline at its end.
    files.push({ path: keyFile(repository), content: `${(secrets[deployKey] ?? '').trimEnd()}\n` })
  }
  if (knownHosts !== undefined) files.push({ path: knownHostsFile(repository), content: `${knownHosts}\n` })
  return files
}

/** The secrets that become variables of the environment: repository credentials are used by git only. */
export function environmentSecretNames({
  secretNames,
  repositories,
}: Pick<ProvisioningPlan, 'secretNames' | 'repositories'>): string[] {
  const credentials = new Set(repositories.flatMap(({ token, deployKey }) => [token, deployKey]))
  return secretNames.filter((name) => !credentials.has(name))
}

/**
 * Clones into `/home/<name>`; removes the credentials however the clone ends. A machine from a snapshot may have the
 * repository already: then that is brought up to date.
 */
export function cloneCommand(repository: Repository, fromSnapshot = false): GuestCommand {
  const { url, name, branch } = repository
  const { options, before } = gitAccess(repository)
  const wanted = branch === null ? '' : `--branch ${quote(branch)} `
  const folder = `/home/${name}`
  const check = branch === null ? `\n${headCheck(folder)}` : ''
  const clone = `git ${options}clone ${wanted}-- ${quote(url)} ${quote(folder)}${check}`
  const work = fromSnapshot ? orUpdate(folder, clone, updateScript({ folder, url, branch, options })) : clone
  return {
    name: `git ${fromSnapshot ? 'fetch' : 'clone'} ${withoutCredentials(url)}`,
    command: `${before}${work}`,
    timeoutSeconds: null,
  }
}

/**
 * How git gets at a repository: options, each followed by a blank, and bash lines that come first. These remove the
 * credentials however the command ends.
 */
export function gitAccess(repository: Repository): { options: string; before: string } {
  const { token, deployKey, knownHosts } = repository
  const options =
    token === undefined ? '' : `-c credential.helper= -c credential.helper=${quote(tokenHelper(repository))} `
  const shell =
    deployKey === undefined && knownHosts === undefined
      ? ''
      : `export GIT_SSH_COMMAND=${quote(secureShellCommand(repository))}\n`
  const removed = [
    ...(token === undefined ? [] : [tokenFile(repository)]),
    ...(deployKey === undefined ? [] : [keyFile(repository)]),
    ...(knownHosts === undefined ? [] : [knownHostsFile(repository)]),
  ]
  const removal =
    removed.length === 0 ? '' : `trap ${quote(`rm -f -- ${removed.map(quote).join(' ')}`)} EXIT\n`
  return { options, before: `${removal}${shell}` }
}

function orUpdate(folder: string, clone: string, update: string): string {
  return `if [ -e ${quote(folder)}/.git ]; then\n${update}\nelse\n${clone}\nfi`
}

/**
 * git accepts a repository whose HEAD names a missing branch and leaves an empty folder; only a repository without
 * any branch is really empty. The file is checked first, because running git would be another process.
 */
export function headCheck(folder: string): string {
  const at = quote(folder)
  return [
    'status=$?; ((status == 0)) || exit "$status"',
    `head=; read -r head <${at}/.git/HEAD; head=\${head#ref: }`,
    `[ -e ${at}/.git/"$head" ] || git -C ${at} rev-parse --quiet --verify HEAD >/dev/null || {`,
    `  branches=$(git -C ${at} for-each-ref --count=${mostBranches} --format='  %(refname:lstrip=3)' refs/remotes/origin)`,
    '  [ -z "$branches" ] || {',
    `    printf 'The repository says that its branch is %s, which it does not have. It has (${mostBranches} at most):\\n%s\\n' "\${head#refs/heads/}" "$branches" >&2`,
    "    printf 'Name one of them as branch of the repository in the project.\\n' >&2",
    '    exit 1',
    '  }',
    '}',
  ].join('\n')
}

const mostBranches = 20

/** A token works with any user name; one in the URL is preferred. */
function tokenHelper(repository: Repository): string {
  return `!f() { [ "$1" = get ] && printf 'username=hearth\\npassword=%s\\n' "$(cat ${quote(tokenFile(repository))})"; }; f`
}

function secureShellCommand(repository: Repository): string {
  const { deployKey, knownHosts } = repository
  return [
    'ssh -o BatchMode=yes',
    ...(deployKey === undefined ? [] : [`-o IdentitiesOnly=yes -i ${quote(keyFile(repository))}`]),
    knownHosts === undefined
      ? '-o StrictHostKeyChecking=accept-new'
      : `-o StrictHostKeyChecking=yes -o UserKnownHostsFile=${quote(knownHostsFile(repository))}`,
  ].join(' ')
}

const tokenFile = ({ name }: Repository) => `${credentialFolder}/${name}.token`
const keyFile = ({ name }: Repository) => `${credentialFolder}/${name}.key`
const knownHostsFile = ({ name }: Repository) => `${credentialFolder}/${name}.known_hosts`

const credentials = /^([a-z]+:\/\/)([^/@]*)@/

/** A URL without its password, for display. */
export function withoutCredentials(url: string): string {
  return url.replace(credentials, (_, scheme: string, user: string) =>
    user.includes(':') ? scheme : `${scheme}${user}@`,
  )
}

/** The password in a URL, which must be masked as well. */
export function passwordOf(url: string): string[] {
  const user = credentials.exec(url)?.[2] ?? ''
  const colon = user.indexOf(':')
  return colon < 0 ? [] : [user.slice(colon + 1)]
}
