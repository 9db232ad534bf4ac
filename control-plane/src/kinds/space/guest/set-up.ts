// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { setUpCaches } from './cache.ts'
import { setUpDatabases } from './database.ts'
import { unreachableNetworks } from './network.ts'
import type { SpacePlace } from './place.ts'
import { prelude } from './prelude.ts'
import { quote } from './quote.ts'
import { type AppParts, assertPlain } from './release.ts'
import { emptySite, sharedSite, sharedSiteFile, siteFile } from './web-server.ts'

/** What is not needed for all apps. */
const programsOf = ({ runtime, database, cache }: AppParts): string[] => [
  ...(runtime === 'python3' ? ['python3', 'pip3'] : ['node', 'npm']),
  ...(database ? ['psql', 'pg_ctlcluster'] : []),
  ...(cache ? ['redis-server'] : []),
]
const programs = ['nginx', 'unzip', 'setpriv', 'ip', 'nft', 'flock', 'pgrep', 'systemctl', 'useradd']

/** A task that makes the spaces of an app in a machine. Run again it does what is left to do, and keeps what is there. */
export function setUpScript(app: AppParts, spaces: readonly SpacePlace[]): string {
  spaces.forEach(assertPlain)
  return [
    prelude,
    requirePrograms([...programs, ...programsOf(app)]),
    // The users of the spaces read their archives in it.
    'install -d -m 755 /var/lib/hearth-app',
    ...spaces.map(makeFolders),
    app.database && setUpDatabases(spaces),
    app.cache && setUpCaches(spaces),
    setUpWebServer(spaces),
  ]
    .filter((part) => part !== null)
    .join('\n')
}

const requirePrograms = (names: readonly string[]): string => `missing=()
for program in ${names.join(' ')}; do
  [[ -n $(command -v "$program") ]] || missing+=("$program")
done
((\${#missing[@]} == 0)) || fail "this machine lacks what its web app needs: \${missing[*]}. Machines of the image debian-12-web have it"
[[ -d /run/systemd/system ]] || fail 'systemd does not run this machine, which a web app needs'
`

/** Root owns what its scripts rely on; the rest is the user's. */
const makeFolders = ({ user, folder }: SpacePlace): string => {
  const at = (name: string) => quote(`${folder}/${name}`)
  return `id -u ${user} >/dev/null 2>&1 ||
  useradd --system --user-group --shell /bin/bash --home-dir ${at('shared')} --no-create-home ${user}
install -d -m 755 -- "$(dirname -- ${quote(folder)})"
install -d -m 750 -o root -g ${user} -- ${quote(folder)}
install -d -m 700 -- ${at('prepared')}
install -d -m 750 -o ${user} -g ${user} -- ${at('releases')} ${at('shared')}
`
}

const beforeWebServer = '/etc/systemd/system/nginx.service.d/hearth-app.conf'

function setUpWebServer(spaces: readonly SpacePlace[]): string {
  const sites = spaces.map((space) => {
    const file = quote(siteFile(space))
    return `[[ -s ${file} ]] || printf '%s\\n' ${quote(emptySite(space))} >${file}\n`
  })
  return `echo 'nginx listens on ${spaces.map(({ port, type }) => `${port} for ${type}`).join(' and ')}'
rm -f /etc/nginx/sites-enabled/default
printf '%s\\n' ${quote(sharedSite)} >${quote(sharedSiteFile)}
${sites.join('')}nginx -t -q
install -d -m 755 "$(dirname -- ${quote(beforeWebServer)})"
printf '%s\\n' ${quote(`[Service]\nExecStartPre=/bin/ip route replace ${unreachableNetworks}`)} >${quote(beforeWebServer)}
systemctl daemon-reload
ip route replace ${unreachableNetworks}
systemctl enable -q nginx.service
systemctl reload-or-restart nginx.service
`
}
