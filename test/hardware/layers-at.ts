import { ExclusionScope, type LibvirtHost } from '@hearth/runner-agent'

type LayerSettings = Pick<
  ConstructorParameters<typeof LibvirtHost>[0],
  'layersFolder' | 'exclusion' | 'diskReserveBytes'
>

/** Settings of a host's layers, all of which are kept in one folder. */
export function layersAt(folder: string): LayerSettings {
  return {
    layersFolder: folder,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
  }
}
