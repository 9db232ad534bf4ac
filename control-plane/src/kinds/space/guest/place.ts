import { type SpaceType, spacePorts } from '@hearth/contract'

/** Where a space is in its machine. */
export interface SpacePlace {
  type: SpaceType
  /** The user of the guest that its processes run as. */
  user: string
  /** Its releases and what these share are below it. */
  folder: string
  /** Where the web server listens for it. */
  port: number
}

export const placeOf = (type: SpaceType): SpacePlace => ({
  type,
  user: `app-${type}`,
  folder: `/srv/app/${type}`,
  port: spacePorts[type],
})
