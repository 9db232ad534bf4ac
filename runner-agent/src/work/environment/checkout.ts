import { pullRequestOf, type Repository } from '@hearth/contract'
import type { GuestCommand } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'
import { gitAccess } from './clone.ts'
import { checkOut } from './update-repository.ts'

/** Exit status of the command when the repository answered and has no such reference. */
export const missingReferenceExit = 44

/** The command that puts a repository of the guest on another branch, tag, commit or pull request. */
export function checkoutCommand(repository: Repository, reference: string): GuestCommand {
  const { name } = repository
  const { options, before } = gitAccess(repository)
  const script = checkoutScript({ folder: `/home/${name}`, url: repository.url, name, reference, options })
  return {
    name: `git checkout ${reference} of ${name}`,
    command: `${before}${script}`,
    timeoutSeconds: null,
  }
}

export interface Checkout {
  folder: string
  url: string
  /** For people. */
  name: string
  reference: string
  /** Options of git for the connection, each followed by a blank. */
  options: string
}

/**
 * Only what is asked for is fetched. A name is a branch before it is a tag, and a commit last, as git has it; a whole
 * commit id is nothing else. Each git is a process that an emulated guest pays for, so a branch takes one to fetch it.
 */
export function checkoutScript({ folder, url, name, reference, options }: Checkout): string {
  return [
    `cd -- ${quote(folder)} || exit`,
    "export LC_ALL=C GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'",
    // What a git left that was cut off with its machine.
    'for lock in .git/index.lock .git/HEAD.lock; do [ ! -e "$lock" ] || rm -f -- "$lock"; done',
    `url=${quote(url)} wanted=${quote(reference)} branch= start= commit=`,
    // 0: it is there; 1: the repository has none of that name. Anything else, such as no answer, ends the step.
    'fetch() {',
    '  local said status',
    `  said=$(git ${options}fetch --no-tags --force -- "$url" "$@" 2>&1); status=$?`,
    '  [[ $said == *"find remote ref"* || $said == *"not our ref"* || $said == *"unadvertised object"* ]] && return 1',
    '  [ -z "$said" ] || printf \'%s\\n\' "$said"',
    '  ((status == 0)) || exit "$status"',
    '}',
    'is_commit() { git rev-parse --quiet --verify "$1^{commit}" >/dev/null; }',
    ...find(reference),
    '[ -n "$start" ] || {',
    `  printf 'The repository %s has no branch, tag, commit or pull request "%s".\\n' ${quote(name)} "$wanted" >&2`,
    `  exit ${missingReferenceExit}`,
    '}',
    '[ -n "$commit" ] || commit=$(git rev-parse --verify "$start^{commit}") || exit',
    ...checkOut,
    `printf '%s is at %s.\\n' ${quote(name)} "$commit"`,
  ].join('\n')
}

const branchOrTag = [
  'if fetch "+refs/heads/$wanted:refs/remotes/origin/$wanted"; then',
  '  branch=$wanted start=refs/remotes/origin/$wanted',
  // A branch is a commit, and git has just written down which.
  '  read -r commit _ <.git/FETCH_HEAD',
  'elif fetch "+refs/tags/$wanted:refs/tags/$wanted"; then',
  '  start=refs/tags/$wanted',
  'fi',
]

function find(reference: string): string[] {
  const number = pullRequestOf(reference)
  if (number !== null) return [...pullRequest(number), 'if [ -z "$start" ]; then', ...branchOrTag, 'fi']
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(reference)) return wholeCommit
  return /^[0-9a-f]{7,63}$/i.test(reference) ? [...branchOrTag, ...shortCommit] : branchOrTag
}

/** GitHub, Gitea and Forgejo call it a pull request, GitLab a merge request. */
const pullRequest = (number: number) => [
  `for kind in pull merge-requests; do`,
  `  fetch "+refs/$kind/${number}/head:refs/hearth/pull/${number}" && { start=refs/hearth/pull/${number}; break; }`,
  'done',
]

const wholeCommit = [
  'is_commit "$wanted" || fetch "$wanted" || fetch "+refs/heads/*:refs/remotes/origin/*" "+refs/tags/*:refs/tags/*"',
  'is_commit "$wanted" && start=$wanted',
]

/** Servers send no commit by the beginning of its id: it has to be among what the branches and tags have. */
const shortCommit = [
  'if [ -z "$start" ]; then',
  '  is_commit "$wanted" || fetch "+refs/heads/*:refs/remotes/origin/*" "+refs/tags/*:refs/tags/*"',
  '  is_commit "$wanted" && start=$wanted',
  'fi',
]
