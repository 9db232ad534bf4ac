import { quote } from '../../secure-shell/quote.ts'

export interface RepositoryUpdate {
  /** Absolute path of the repository in the guest. */
  folder: string
  url: string
  /** Branch or tag; null for the default branch. */
  branch: string | null
  /** Options of git for the connection, each followed by a blank. */
  options: string
}

/**
 * The bash program that brings a repository from a snapshot to what a clone would have now, whatever happened to its
 * history since. Files that git does not track stay, and changes that the snapshot's steps made too, where they are in
 * nobody's way.
 */
export function updateScript({ folder, url, branch, options }: RepositoryUpdate): string {
  return [
    `cd -- ${quote(folder)} || exit`,
    // Set-up may have given the folder to another user, and a git that was frozen leaves its lock.
    "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'",
    'rm -f -- .git/index.lock .git/HEAD.lock',
    `git remote set-url origin ${quote(url)} 2>/dev/null || git remote add origin ${quote(url)} || exit`,
    `git ${options}fetch --prune --tags --force origin '+refs/heads/*:refs/remotes/origin/*' || exit`,
    'branch= start=',
    ...(branch === null ? defaultBranch(options) : namedBranch(branch)),
    'if [ -n "$start" ]; then',
    '  commit=$(git rev-parse --verify "$start^{commit}") || exit',
    ...checkOut,
    'fi',
  ].join('\n')
}

/** As `git clone --branch`, it takes a tag as well. */
function namedBranch(name: string): string[] {
  const wanted = quote(name)
  return [
    `wanted=${wanted}`,
    'if git rev-parse --quiet --verify "refs/remotes/origin/$wanted^{commit}" >/dev/null; then',
    '  branch=$wanted start=refs/remotes/origin/$wanted',
    'elif git rev-parse --quiet --verify "refs/tags/$wanted^{commit}" >/dev/null; then',
    '  start=refs/tags/$wanted',
    'else',
    `  printf 'fatal: Remote branch %s not found in upstream origin\\n' "$wanted" >&2`,
    '  exit 128',
    'fi',
  ]
}

const mostBranches = 20

/** Nothing where the repository has no branch at all. */
function defaultBranch(options: string): string[] {
  return [
    `head=$(git ${options}ls-remote --symref origin HEAD) || exit`,
    `case $head in 'ref: refs/heads/'*) branch=\${head#ref: refs/heads/}; branch=\${branch%%[[:space:]]*} ;; esac`,
    'if [ -n "$branch" ]; then',
    '  start=refs/remotes/origin/$branch',
    'elif [ -n "$head" ]; then',
    // The repository's HEAD is a commit.
    `  git ${options}fetch origin HEAD && start=$(git rev-parse FETCH_HEAD) || exit`,
    'else',
    `  branches=$(git for-each-ref --count=${mostBranches} --format='  %(refname:lstrip=3)' refs/remotes/origin)`,
    '  [ -z "$branches" ] || {',
    `    printf 'The branch that the repository names as its own is missing. It has (${mostBranches} at most):\\n%s\\n' "$branches" >&2`,
    "    printf 'Name one of them as branch of the repository in the project.\\n' >&2",
    '    exit 1',
    '  }',
    'fi',
  ]
}

/** Puts the working tree on `$commit`, on `$branch` where that is not empty and `$start` is what it follows. */
export const checkOut = [
  // Read without a process, which an emulated guest pays for.
  '  head=; read -r head <.git/HEAD',
  '  if [ -n "$branch" ]; then',
  '    if [ "$head" = "ref: refs/heads/$branch" ] && [ "$(git rev-parse -q --verify HEAD)" = "$commit" ]; then',
  `      printf 'Already at %s of %s.\\n' "$commit" "$branch"`,
  '    elif ! git checkout -B "$branch" "$start" --; then',
  `      printf 'Changes that stand in the way are dropped:\\n'; git status --short --untracked-files=no | head -n 20`,
  '      git update-ref "refs/heads/$branch" "$commit" && git symbolic-ref HEAD "refs/heads/$branch" &&',
  '        git reset --hard && git branch --quiet --set-upstream-to="origin/$branch" || exit',
  '    fi',
  '  elif ! git checkout --detach "$commit" --; then',
  `    printf 'Changes that stand in the way are dropped:\\n'; git status --short --untracked-files=no | head -n 20`,
  '    git update-ref --no-deref HEAD "$commit" && git reset --hard || exit',
  '  fi',
]
