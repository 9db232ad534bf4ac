// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { findNetwork } from './network.ts'
import { prelude } from './prelude.ts'
import { networkOf } from './process-command.ts'
import { quote } from './quote.ts'
import { assertReleaseId, type HttpInstance, type Release } from './release.ts'
import { releaseSite, siteFile } from './web-server.ts'
import { webServerFunctions } from './web-server-change.ts'

/** An instance that is ready, and the path below which requests are led to its process. */
export interface Upstream extends HttpInstance {
  path: string
}

/**
 * A task that leads the requests of a space to a release, whose processes are ready. It ends when none is led to the release
 * before it any more, so that the processes of that one may be ended.
 */
export function switchScript(release: Release, upstreams: readonly Upstream[]): string {
  const { space, releaseId } = release
  assertReleaseId(releaseId)
  const at = (name: string) => quote(`${space.folder}/${name}`)
  const served = [...new Map(upstreams.map((upstream) => [upstream.name, upstream])).values()]
  // The shell knows the addresses.
  const marked = served.map(({ name, path }, index) => ({ process: name, path, servers: `@${index}@\n` }))
  const site = releaseSite(space, marked)
    .split(/@(\d+)@\n/)
    .map((part, index) => (index % 2 === 0 ? quote(part) : `"\${servers[${part}]}"`))
  return `${prelude}${findNetwork}${webServerFunctions}
[[ -e ${at(`prepared/${releaseId}`)} ]] || fail ${quote(`release ${releaseId} is not prepared in this machine`)}
servers=(${served.map(() => `''`).join(' ')})
${upstreams
  .map((upstream) =>
    serverLine(
      release,
      upstream,
      served.findIndex(({ name }) => name === upstream.name),
    ),
  )
  .join('')}
change_site ${quote(siteFile(space))} ${site.join('')}
ln -sfnT -- ${quote(`releases/${releaseId}`)} ${at('.current.new')}
mv -T -- ${at('.current.new')} ${at('current')}
`
}

const serverLine = (release: Release, upstream: Upstream, index: number): string => `
find_network ${quote(networkOf(release, upstream))} ||
  fail ${quote(`${upstream.name} ${upstream.instance} of release ${release.releaseId} has not begun in this machine`)}
servers[${index}]+="  server $inside:${upstream.port};"$'\\n'
`
