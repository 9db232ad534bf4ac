import type { MessageInitShape } from '@bufbuild/protobuf'
import { FileChange_ChangeType as ChangeType } from '../generated/gitpod/v1/environment_resource_pb.ts'
import type {
  GetGitDiffResponseSchema,
  GitHunkSchema,
} from '../generated/supervisor/v1/environmentopts_pb.ts'
import { exitCodes, gitPreface, quote } from './shell.ts'

/**
 * Prints, each ended by NUL: what has become of the file, as `--name-status` has it (`?` where git does not know the file,
 * nothing where it has not changed), and its former name; then its unified diff against a commit, or the last one, or nothing
 * where there is none.
 */
export function diffCommand(path: string, unified: number, baseRef: string): string {
  const options = `--no-ext-diff --no-textconv --no-color --find-renames --unified=${unified}`
  return [
    gitPreface,
    `path=${quote(path)} path=\${path#"$top/"}`,
    ...(baseRef === ''
      ? ['base=$(git rev-parse -q --verify "HEAD^{commit}") || base=$(git hash-object -t tree /dev/null)']
      : [
          `base=$(git rev-parse -q --verify --end-of-options ${quote(`${baseRef}^{commit}`)}) || exit ${exitCodes.noCommit}`,
        ]),
    'status= old=',
    `while IFS= read -r -d '' word; do`,
    `  former=; case $word in [RC]*) IFS= read -r -d '' former ;; esac`,
    `  IFS= read -r -d '' name || break`,
    '  if [ "$name" = "$path" ]; then status=$word old=$former; break; fi',
    'done < <(git diff --name-status -z --find-renames --no-ext-diff "$base")',
    'if [ -z "$status" ] && [ -n "$(git ls-files --others --exclude-standard -- "$path" | head -c 1)" ]; then status="?"; fi',
    `printf '%s\\0' "$status" "$old"`,
    'case $status in',
    "  '') ;;",
    `  '?') git diff ${options} --no-index -- /dev/null "$path" ;;`,
    `  *) git diff ${options} "$base" -- \${old:+"$old"} "$path" ;;`,
    'esac',
    'exit 0',
  ].join('\n')
}

const changeTypes: Readonly<Record<string, ChangeType>> = {
  A: ChangeType.ADDED,
  D: ChangeType.DELETED,
  M: ChangeType.MODIFIED,
  T: ChangeType.MODIFIED,
  R: ChangeType.RENAMED,
  C: ChangeType.COPIED,
  U: ChangeType.UPDATED_BUT_UNMERGED,
  '?': ChangeType.UNTRACKED,
}

/** What that prints, in Ona's words. */
export function parseDiff(path: string, printed: Buffer): MessageInitShape<typeof GetGitDiffResponseSchema> {
  const afterStatus = printed.indexOf(0)
  const afterOld = printed.indexOf(0, afterStatus + 1)
  const status = printed.toString('utf8', 0, Math.max(0, afterStatus))
  const oldPath = printed.toString('utf8', afterStatus + 1, Math.max(afterStatus + 1, afterOld))
  const changeType = changeTypes[status[0] ?? ''] ?? ChangeType.UNSPECIFIED
  const lines = printed.toString('utf8', afterOld + 1).split('\n')
  return {
    fileChange: { path, changeType, oldPath },
    hunks: parseHunks(lines),
    isBinary: isBinary(lines),
  }
}

/** Only before the first hunk is it git that says so. */
function isBinary(lines: readonly string[]): boolean {
  const firstHunk = lines.findIndex((line) => line.startsWith('@@ '))
  const head = firstHunk < 0 ? lines : lines.slice(0, firstHunk)
  return head.some((line) => /^Binary files .* differ$/.test(line) || line === 'GIT binary patch')
}

type Hunk = Required<
  Pick<
    Exclude<MessageInitShape<typeof GitHunkSchema>, { $typeName: string }>,
    | 'originalStartLine'
    | 'originalLines'
    | 'originalNoNewlineAt'
    | 'newStartLine'
    | 'newLines'
    | 'section'
    | 'startPosition'
    | 'body'
  >
>

const hunkHead = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/

/**
 * The hunks of a file's unified diff. A line that the last one of its file ends without a newline: where that is the
 * original file, its place in the body is noted; where it is the new one, the body has no newline there either.
 */
function parseHunks(lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = []
  let position = 0
  let last = ''
  for (const line of lines) {
    const hunk = hunks.at(-1)
    const head = hunkHead.exec(line)
    if (head !== null) hunks.push(hunkOf(head, position + 1))
    else if (hunk === undefined || line === '') continue
    else if (line.startsWith('\\')) {
      if (last.startsWith('-')) hunk.originalNoNewlineAt = Buffer.byteLength(hunk.body)
      else hunk.body = hunk.body.slice(0, -1)
    } else hunk.body += `${line}\n`
    position += 1
    last = line
  }
  return hunks
}

function hunkOf([, from, fromLines = '1', to, toLines = '1', section = '']: string[], at: number): Hunk {
  return {
    originalStartLine: Number(from),
    originalLines: Number(fromLines),
    originalNoNewlineAt: 0,
    newStartLine: Number(to),
    newLines: Number(toLines),
    section,
    startPosition: at,
    body: '',
  }
}
