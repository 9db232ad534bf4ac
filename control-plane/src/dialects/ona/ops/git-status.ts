import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  FileChange_ChangeType as ChangeType,
  type EnvironmentGitStatusSchema,
  type FileChangeSchema,
} from '../generated/gitpod/v1/environment_resource_pb.ts'
import { gitPreface } from './shell.ts'

type FileChange = MessageInitShape<typeof FileChangeSchema>

const mostCommits = 100
const mostFiles = 1_000

/**
 * Prints, each ended by NUL: how many commits no remote has, the newest of them on a line each, and where the repository was
 * cloned from; then what git says of its status, as `--porcelain=v2 -z` has it.
 */
export const statusCommand = [
  gitPreface,
  'if git rev-parse -q --verify "@{upstream}" >/dev/null 2>&1; then set -- "@{upstream}..HEAD"; else set -- HEAD --not --remotes; fi',
  'git rev-parse -q --verify HEAD >/dev/null 2>&1 || set --',
  'total=0 commits=',
  '[ $# = 0 ] || { total=$(git rev-list --count "$@"); commits=$(git rev-list --max-count=100 "$@"); }',
  `printf '%s\\0' "$total" "$commits"`,
  `git config -z --get remote.origin.url || printf '\\0'`,
  'exec git status --porcelain=v2 -z --branch --untracked-files=all --find-renames',
].join('\n')

/** What that prints, in Ona's words; what the end of the output cuts in two is left out. */
export function parseStatus(printed: Buffer): MessageInitShape<typeof EnvironmentGitStatusSchema> {
  const fields = printed.toString('utf8').split('\0')
  fields.pop()
  const [total = '', commits = '', cloneUrl = '', ...records] = fields
  const { branch, latestCommit, changes } = parseRecords(records)
  return {
    cloneUrl: withoutCredentials(cloneUrl),
    branch,
    latestCommit,
    unpushedCommits: commits.split('\n').filter(isCommit).slice(0, mostCommits),
    totalUnpushedCommits: countOf(total),
    changedFiles: changes.slice(0, mostFiles),
    totalChangedFiles: changes.length,
  }
}

function parseRecords(records: readonly string[]) {
  let [branch, latestCommit] = ['', '']
  const changes: FileChange[] = []
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? ''
    const words = record.split(' ')
    switch (record[0]) {
      case '#':
        if (words[1] === 'branch.head' && words[2] !== '(detached)') branch = words.slice(2).join(' ')
        if (words[1] === 'branch.oid' && isCommit(words[2] ?? '')) latestCommit = words[2] ?? ''
        break
      case '1':
        changes.push({ path: words.slice(8).join(' '), changeType: changeOf(words[1] ?? '') })
        break
      case '2': {
        // The former name is a record of its own.
        index += 1
        const oldPath = records[index]
        const changeType = words[8]?.startsWith('C') === true ? ChangeType.COPIED : ChangeType.RENAMED
        if (oldPath !== undefined) changes.push({ path: words.slice(9).join(' '), changeType, oldPath })
        break
      }
      case 'u':
        changes.push({ path: words.slice(10).join(' '), changeType: ChangeType.UPDATED_BUT_UNMERGED })
        break
      case '?':
        changes.push({ path: record.slice(2), changeType: ChangeType.UNTRACKED })
        break
      default:
        break
    }
  }
  return { branch, latestCommit, changes }
}

/** `X` of `XY` is what is staged against the commit, `Y` what is there against what is staged. */
function changeOf([staged, there]: string): ChangeType {
  if (there === 'D' || staged === 'D') return ChangeType.DELETED
  return staged === 'A' ? ChangeType.ADDED : ChangeType.MODIFIED
}

const isCommit = (text: string) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
const countOf = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : 0)

/** What stands before the host of an address may be a token. */
const withoutCredentials = (url: string) => url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
