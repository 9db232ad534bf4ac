import { boundedLine } from './bounded.ts'

/** As `git check-ref-format` has it. */
const refused: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^-/, 'no "-" first'],
  [/[\s~^:?*[\\]/, 'none of blank ~ ^ : ? * [ \\'],
  [/\.\.|@\{/, 'neither ".." nor "@{"'],
  [/^\/|\/$|\/\//, 'no empty part between slashes'],
  [/(^|\/)\./, 'no part that begins with "."'],
  [/\.lock(\/|$)/, 'no part that ends with ".lock"'],
  [/\.$/, 'no "." last'],
  [/^@$/, 'not "@" alone'],
]

/** What is to be checked out of a repository: a branch, a tag, a commit, or a pull request such as `pull/12`. */
export const gitReferenceSchema = boundedLine(255, 1)
  .superRefine((text, context) => {
    const faults = refused.filter(([pattern]) => pattern.test(text)).map(([, what]) => what)
    if (faults.length === 0) return
    const message = `must be a branch, a tag, a commit, or a pull request such as pull/12: ${faults.join(', ')}`
    context.addIssue({ code: 'custom', message })
  })
  .meta({ example: 'pull/12' })

/** The number of the pull request (with GitLab, merge request) that a reference names; null for any other. */
export function pullRequestOf(reference: string): number | null {
  const [, number] = /^(?:refs\/)?pull\/([1-9][0-9]{0,8})(?:\/head)?$/.exec(reference) ?? []
  return number === undefined ? null : Number(number)
}
