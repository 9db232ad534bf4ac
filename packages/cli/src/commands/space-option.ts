import type { SpaceType } from '@hearth/contract'
import { Option } from 'commander'

export const spaceOption = (usual: SpaceType = 'uat'): Option =>
  new Option('--space <space>').choices(['uat', 'production']).default(usual)
