// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import type { SpacePlace } from './place.ts'

/** Of the hundred that PostgreSQL has: neither space takes all of them. */
const connectionsOfOneSpace = 45

/** Debian's cluster of PostgreSQL, which from now on runs, and listens to its Unix socket only. */
export const setUpDatabases = (spaces: readonly SpacePlace[]): string => `echo 'PostgreSQL starts'
versions=(/usr/lib/postgresql/*)
version=\${versions[-1]##*/}
settings=/etc/postgresql/$version/main
[[ -d $settings ]] || pg_createcluster "$version" main -- --encoding=UTF8 --locale=C.UTF-8
mkdir -p "$settings/conf.d"
if [[ ! -s $settings/conf.d/hearth-app.conf ]]; then
  printf "listen_addresses = ''\\n" >"$settings/conf.d/hearth-app.conf"
  systemctl stop "postgresql@$version-main.service"
fi
systemctl enable -q postgresql.service
systemctl daemon-reload
systemctl start postgresql.service "postgresql@$version-main.service"
${query(spaces.map(databaseOf).join(''))}`

/** Debian's own psql is a program that looks for the right one. */
const query = (statements: string): string =>
  `runuser -u postgres -- "/usr/lib/postgresql/$version/bin/psql" --no-psqlrc --quiet --no-align --tuples-only \\
  --set=ON_ERROR_STOP=1 >/dev/null <<'END'
${statements}END
`

/**
 * A role and its database, both with the name of the space's user, whom PostgreSQL knows from the socket. Nobody else may
 * connect to it.
 */
const databaseOf = ({
  user,
}: SpacePlace): string => `SELECT 'CREATE ROLE "${user}" LOGIN CONNECTION LIMIT ${connectionsOfOneSpace}'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${user}') \\gexec
SELECT 'CREATE DATABASE "${user}" OWNER "${user}" TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8'''
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${user}') \\gexec
REVOKE CONNECT ON DATABASE "${user}", postgres, template1 FROM PUBLIC;
`

export const withoutDatabaseOf = ({ user }: SpacePlace): string => `if [[ -n $(command -v psql) ]]; then
  runuser -u postgres -- psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 <<'END'
DROP DATABASE IF EXISTS "${user}" WITH (FORCE);
DROP ROLE IF EXISTS "${user}";
END
fi
`
