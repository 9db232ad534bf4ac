import type { MessageInitShape } from '@bufbuild/protobuf'
import type { NamedSecret, ProjectRow } from '../../../kinds/project/index.ts'
import type { SecretSchema } from '../generated/gitpod/v1/secret_pb.ts'
import { subjectOf, timestampOf } from './values.ts'

/** A secret is part of its project: it has its times and its creator. */
export function toOnaSecret(
  { id, name, projectId }: NamedSecret,
  project: Pick<ProjectRow, 'creator' | 'created_at' | 'updated_at'> | null,
): MessageInitShape<typeof SecretSchema> {
  return {
    id,
    name,
    projectId,
    createdAt: timestampOf(project?.created_at.toISOString()),
    updatedAt: timestampOf(project?.updated_at.toISOString()),
    creator: subjectOf(project?.creator ?? null) ?? {},
    mount: { case: 'environmentVariable', value: true },
    scope: { scope: { case: 'projectId', value: projectId } },
  }
}
