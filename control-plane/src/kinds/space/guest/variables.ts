import { assertNever } from '@hearth/foundation'
import type { SpacePlace } from './place.ts'
import { quote } from './quote.ts'
import { type AppParts, type Release, releaseFolder } from './release.ts'

export type Variables = Readonly<Record<string, string>>

export const databaseSocketFolder = '/run/postgresql'
export const cacheSocket = (space: SpacePlace): string => `/run/hearth-redis-${space.type}/redis.sock`

/** What runs in a release is given: what its space says, which Hearth's own variables go before. */
export function releaseVariables(release: Release, variables: Variables): Variables {
  const { space, app, releaseId } = release
  return { ...variablesIn(releaseFolder(release), space, app, variables), RELEASE: releaseId }
}

/** The same for what runs in the release that is the current one at that time. */
export const currentVariables = (space: SpacePlace, app: AppParts, variables: Variables): Variables =>
  variablesIn(`${space.folder}/current`, space, app, variables)

function variablesIn(folder: string, space: SpacePlace, app: AppParts, variables: Variables): Variables {
  const { user, type } = space
  return {
    LANG: 'C.UTF-8',
    ...variables,
    ...runtimeVariables(app, folder),
    // By its user, whom PostgreSQL knows from the socket: there is no password.
    ...(app.database && { DATABASE_URL: `postgresql://${user}@/${user}?host=${databaseSocketFolder}` }),
    ...(app.cache && { REDIS_URL: `unix://${cacheSocket(space)}` }),
    SPACE: type,
  }
}

function runtimeVariables({ runtime }: AppParts, folder: string): Variables {
  const path = (programs: string) => `${folder}/${programs}:/usr/local/bin:/usr/bin:/bin`
  switch (runtime) {
    case 'python3':
      return {
        PYTHONUNBUFFERED: '1',
        FORWARDED_ALLOW_IPS: '*',
        VIRTUAL_ENV: `${folder}/.venv`,
        PATH: path('.venv/bin'),
      }
    case 'nodejs':
      return { PATH: path('node_modules/.bin') }
    default:
      return assertNever(runtime)
  }
}

/** One assignment of a shell a variable. */
export function exportsOf(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`"${name}" is no name of a variable`)
      return `export ${name}=${quote(value)}\n`
    })
    .join('')
}
