/** A word of a shell, whatever is in it. */
export const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

export const exitCodes = { noRepository: 66, noCommit: 67, noGit: 68 } as const

/**
 * How git is asked: by its own words alone. What a repository's own settings would run or paint is left out, and nothing is
 * waited for or written.
 */
export const gitPreface = [
  'export LC_ALL=C GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat GIT_LITERAL_PATHSPECS=1',
  'export GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="*"',
  'export GIT_CONFIG_KEY_1=core.fsmonitor GIT_CONFIG_VALUE_1=false',
  'export GIT_CONFIG_KEY_2=core.quotePath GIT_CONFIG_VALUE_2=false',
  `command -v git >/dev/null || exit ${exitCodes.noGit}`,
  // The point keeps a newline at the end of the path, and stands alone where there is none.
  `top=$(git rev-parse --show-toplevel 2>/dev/null; echo .) top=\${top%.} top=\${top%?}`,
  `[ -n "$top" ] && cd -- "$top" || exit ${exitCodes.noRepository}`,
].join('\n')
