import {
  type PipelineProgramText,
  type PipelineRuntimeSettings,
  type PipelineUpdate,
  storageBoundSettings,
} from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import { given } from '../../resource/change.ts'

/** What of a pipeline people write. */
export interface Edited {
  name: string
  environmentClassId: string
  description: string
  tags: readonly string[]
  program: PipelineProgramText
  runtime: PipelineRuntimeSettings
}
export interface Edit {
  after: Edited
  /** Whether anything is other than before. */
  isChanged: boolean
  isProgramChanged: boolean
  /** The changed fields on which depends what is stored. */
  storageBound: readonly string[]
}

/** What a change makes of it; a class is given by its id. */
export function editOf(
  before: Edited,
  { name, spec }: Pick<PipelineUpdate, 'name' | 'spec'>,
  environmentClassId: string = before.environmentClassId,
): Edit {
  const after: Edited = {
    name: name ?? before.name,
    environmentClassId,
    description: spec?.description ?? before.description,
    tags: spec?.tags ?? before.tags,
    program: { ...before.program, ...given(spec?.program) },
    runtime: spec?.runtime ?? before.runtime,
  }
  const settings = storageBoundSettings.filter((name) => !isSame(before.runtime[name], after.runtime[name]))
  const isOtherToolchain = before.program.toolchain !== after.program.toolchain
  return {
    after,
    isChanged: !isSame(before, after),
    isProgramChanged: !isSame(before.program, after.program),
    storageBound: [
      ...(isOtherToolchain ? ['program.toolchain'] : []),
      ...settings.map((name) => `runtime.${name}`),
    ],
  }
}

const isSame = (a: unknown, b: unknown) => canonicalJson({ it: a }) === canonicalJson({ it: b })
