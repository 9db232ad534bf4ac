import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PrebuildConfiguration, Project } from '@hearth/contract'
import {
  type ProjectEnvironmentClassSchema,
  ProjectPhase,
  type ProjectPrebuildConfigurationSchema,
  type ProjectSchema,
} from '../generated/gitpod/v1/project_pb.ts'
import { toInitializer } from './environment.ts'
import { durationOf, subjectOf, timestampOf } from './values.ts'

/** Labels that keep what Hearth has no field for. */
export const labels = {
  name: 'ona/name',
  automations: 'ona/automations-file',
  devcontainer: 'ona/devcontainer-file',
} as const

/** `idOf` finds the id of a class that a project names by its name. */
export function toOnaProject(
  { metadata, spec, status }: Project,
  idOf: (reference: string) => string | undefined,
): MessageInitShape<typeof ProjectSchema> {
  const classes = toOnaClasses(spec.environmentClasses, idOf)
  const { [labels.name]: name = metadata.name } = metadata.labels
  return {
    id: metadata.id,
    metadata: {
      organizationId: metadata.organizationId,
      name,
      creator: subjectOf(metadata.creator) ?? {},
      createdAt: timestampOf(metadata.createdAt),
      updatedAt: timestampOf(metadata.updatedAt),
    },
    initializer: toInitializer(spec.repositories),
    ...(classes[0] === undefined ? {} : { environmentClass: classes[0] }),
    environmentClasses: classes,
    automationsFilePath: metadata.labels[labels.automations] ?? '',
    devcontainerFilePath: metadata.labels[labels.devcontainer] ?? '',
    prebuildConfiguration: toOnaPrebuilds(spec.prebuilds, idOf),
    desiredPhase: status.phase === 'active' ? ProjectPhase.ACTIVE : ProjectPhase.DELETED,
  }
}

export function toOnaClasses(
  references: readonly string[],
  idOf: (reference: string) => string | undefined,
): MessageInitShape<typeof ProjectEnvironmentClassSchema>[] {
  return references.flatMap((reference, order) => {
    const id = idOf(reference)
    return id === undefined
      ? []
      : [{ environmentClass: { case: 'environmentClassId' as const, value: id }, order }]
  })
}

/** A schedule that is no daily hour in UTC has no word here. */
function toOnaPrebuilds(
  prebuilds: PrebuildConfiguration | null,
  idOf: (reference: string) => string | undefined,
): MessageInitShape<typeof ProjectPrebuildConfigurationSchema> {
  if (prebuilds === null) return { enabled: false }
  const { schedule } = prebuilds
  const hourUtc = schedule?.timeZone === 'UTC' ? schedule.dailyHour : undefined
  return {
    enabled: true,
    environmentClassIds: prebuilds.classes.flatMap((reference) => idOf(reference) ?? []),
    timeout: durationOf(prebuilds.timeoutSeconds),
    ...(hourUtc === undefined
      ? {}
      : { trigger: { trigger: { case: 'dailySchedule' as const, value: { hourUtc } } } }),
  }
}
