/** What the address of a page on a git server says of a repository; null for what names none. */
export interface GitContext {
  cloneUrl: string
  host: string
  owner: string
  repo: string
  branch: string
  commit: string
  tag: string
}

/**
 * Read from the address alone, in the ways of the usual servers: `/owner/repository`, and below it `/tree/BRANCH`,
 * `/src/branch/BRANCH`, `/commit/COMMIT` and `/releases/tag/TAG`, with or without the `/-/` of one of them.
 */
export function gitContextOf(address: string): GitContext | null {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '') return null
  const parts = url.pathname.split('/').filter((part) => part !== '' && part !== '-')
  const at = parts.findIndex(
    (part, index) => index >= 2 && ['tree', 'src', 'commit', 'releases'].includes(part),
  )
  const [named, rest] = at < 0 ? [parts, []] : [parts.slice(0, at), parts.slice(at)]
  const repo = (named.at(-1) ?? '').replace(/\.git$/, '')
  const owner = named.slice(0, -1).join('/')
  if (repo === '' || owner === '') return null
  const [what, second = '', ...more] = rest
  const branch =
    what === 'tree'
      ? [second, ...more].join('/')
      : what === 'src' && second === 'branch'
        ? more.join('/')
        : ''
  return {
    cloneUrl: `${url.origin}/${owner}/${repo}.git`,
    host: url.host,
    owner,
    repo,
    branch,
    commit: what === 'commit' ? second : '',
    tag: what === 'releases' && second === 'tag' ? more.join('/') : '',
  }
}
