// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import type { SpacePlace } from './place.ts'
import { quote } from './quote.ts'
import { cacheSocket } from './variables.ts'

const mostMebibytes = 64

const unitOf = ({ type }: SpacePlace): string => `hearth-redis-${type}.service`
const unitFile = (space: SpacePlace): string => `/etc/systemd/system/${unitOf(space)}`

/** A Redis of the space's user, which nobody else may connect to: its socket is in a folder of that user. */
const unit = (space: SpacePlace): string => `[Unit]
Description=Redis of the space ${space.type}
After=network.target

[Service]
Type=notify
User=${space.user}
RuntimeDirectory=hearth-redis-${space.type}
RuntimeDirectoryMode=0700
StateDirectory=hearth-redis-${space.type}
StateDirectoryMode=0700
ExecStart=/usr/bin/redis-server --supervised systemd --daemonize no --port 0 --unixsocket ${cacheSocket(space)} \\
  --dir /var/lib/hearth-redis-${space.type} --maxmemory ${mostMebibytes}mb --maxmemory-policy allkeys-lru
Restart=always
PrivateNetwork=yes
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target`

export const setUpCaches = (spaces: readonly SpacePlace[]): string => `echo 'Redis starts'
${spaces.map((space) => `printf '%s\\n' ${quote(unit(space))} >${unitFile(space)}\n`).join('')}systemctl daemon-reload
systemctl enable -q --now ${spaces.map(unitOf).join(' ')}
`

export const withoutCacheOf = (space: SpacePlace): string => `if [[ -e ${unitFile(space)} ]]; then
  systemctl disable -q --now ${unitOf(space)}
  rm -f -- ${unitFile(space)}
  rm -rf -- /var/lib/hearth-redis-${space.type}
  systemctl daemon-reload
fi
`
