import type { SpacePlace } from './place.ts'

/** What a web app is made of, and so what its releases find in their machine. */
export interface AppParts {
  runtime: 'python3' | 'nodejs'
  database: 'postgres' | null
  cache: 'redis' | null
}

/** One release of a web app in one of its spaces. */
export interface Release {
  space: SpacePlace
  app: AppParts
  /** Names its folder: the deployment that brought it. */
  releaseId: string
}

/** One process of a release. */
export interface ReleaseProcess {
  name: string
  /** From 1. */
  instance: number
}

/** An instance that serves requests. */
export interface HttpInstance extends ReleaseProcess {
  /** Where it listens. */
  port: number
}

export const releasesFolder = (space: SpacePlace): string => `${space.folder}/releases`
export const releaseFolder = ({ space, releaseId }: Release): string =>
  `${releasesFolder(space)}/${releaseId}`

/** Names of a space go into configuration files that have no quotes for them. */
export function assertPlain({ user, folder, port }: SpacePlace): void {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(user)) throw new Error(`"${user}" is no user of a space`)
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(folder) || folder.includes('/..')) {
    throw new Error(`"${folder}" is no folder of a space`)
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${port} is no port`)
}

/** A path of requests, as a shell and nginx take it. */
export function assertPath(path: string): void {
  if (!/^\/[A-Za-z0-9._~!$&'()*+,=:@%/-]*$/.test(path)) throw new Error(`"${path}" is no path of requests`)
}

/** The id names files and folders. */
export function assertReleaseId(releaseId: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(releaseId)) throw new Error(`"${releaseId}" is no release's id`)
}
