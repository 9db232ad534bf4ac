import { ExclusionScope, type LibvirtHost } from '@hearth/runner-agent'

type LayerSettings = Pick<
  ConstructorParameters<typeof LibvirtHost>[0],
  'layersFolder' | 'volumesFolder' | 'exclusion' | 'diskReserveBytes'
>

/** Settings of a host's layers and volumes, each of which are kept in one folder. */
export function layersAt(folder: string): LayerSettings {
  return {
    layersFolder: folder,
    volumesFolder: `${folder}-volumes`,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
  }
}
