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

/** What the pages of a repository begin with on the usual servers. */
const pages: ReadonlySet<string> = new Set([
  ...['tree', 'src', 'blob', 'raw', 'commit', 'commits', 'releases', 'tags', 'branches', 'compare'],
  ...['pull', 'pulls', 'merge_requests', 'issues', 'actions', 'wiki', 'settings'],
])

/** The parts of the repository, and of the page below it, which one of the servers sets off with `/-/`. */
function partsOf({ pathname }: URL): [repository: string[], page: string[]] {
  const parts = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
  const dash = parts.indexOf('-', 2)
  if (dash > 0) return [parts.slice(0, dash), parts.slice(dash + 1)]
  const at = parts.findIndex((part, index) => index >= 2 && pages.has(part))
  return at < 0 ? [parts, []] : [parts.slice(0, at), parts.slice(at)]
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function webUrl(address: string): URL | null {
  const url = URL.canParse(address) ? new URL(address) : null
  return url === null || !/^https?:$/.test(url.protocol) || url.username !== '' ? null : url
}

/** Whether the page is of a proposed change, which no branch of the repository need have. */
export function isOfChange(address: string): boolean {
  const url = webUrl(address)
  return url !== null && ['pull', 'pulls', 'merge_requests'].includes(partsOf(url)[1][0] ?? '')
}

/**
 * Read from the address alone, in the ways of the usual servers: `/owner/repository`, and below it `/tree/BRANCH`,
 * `/src/branch/BRANCH`, `/commit/COMMIT` and `/releases/tag/TAG`, with or without the `/-/` of one of them.
 */
export function gitContextOf(address: string): GitContext | null {
  const url = webUrl(address)
  if (url === null) return null
  const [named, rest] = partsOf(url)
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
