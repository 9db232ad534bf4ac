import type { MessageInitShape } from '@bufbuild/protobuf'
import type { NamedSecret, ProjectRow } from '../../../kinds/project/index.ts'
import type { UserSecretRow } from '../../../kinds/user-secret/index.ts'
import type { SecretSchema } from '../generated/gitpod/v1/secret_pb.ts'
import { subjectOf, timestampOf } from './values.ts'

/** A secret of a person's own, which only that person sees. */
export function toOnaUserSecret({
  id,
  name,
  creator,
  created_at,
  updated_at,
}: UserSecretRow): MessageInitShape<typeof SecretSchema> {
  return {
    id,
    name,
    createdAt: timestampOf(created_at.toISOString()),
    updatedAt: timestampOf(updated_at.toISOString()),
    creator: subjectOf(creator) ?? {},
    mount: { case: 'environmentVariable', value: true },
    scope: { scope: { case: 'userId', value: creator ?? '' } },
  }
}

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
