import { z } from 'zod'
import { prebuildTimeout } from './prebuild.ts'
import { pagination, uuid, uuids, values } from './values.ts'

const one = z.looseObject({ projectId: uuid })
const relativePath = z
  .string()
  .max(255)
  .regex(/^(?!\/)/, 'a relative path')
const prebuilds = z.looseObject({
  environmentClassIds: uuids(16),
  timeout: prebuildTimeout.optional(),
  trigger: z
    .looseObject({
      trigger: z.looseObject({
        value: z.looseObject({ hourUtc: z.number().min(0).max(23) }).optional(),
      }),
    })
    .optional(),
})
const some = z.array(z.unknown()).min(1).max(100)
const initializer = z.looseObject({ specs: z.array(z.unknown()).max(32) })

export const projectRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreateProjectRequest': z.looseObject({
    name: z.string().min(1).max(80),
    initializer,
    automationsFilePath: relativePath,
    devcontainerFilePath: relativePath,
    technicalDescription: z.string().max(8_192),
    prebuildConfiguration: prebuilds.optional(),
  }),
  'gitpod.v1.UpdateProjectRequest': z.looseObject({
    projectId: uuid,
    name: z.string().min(1).max(80).optional(),
    initializer: initializer.optional(),
    automationsFilePath: relativePath.optional(),
    devcontainerFilePath: relativePath.optional(),
    technicalDescription: z.string().max(8_192).optional(),
    prebuildConfiguration: prebuilds.optional(),
  }),
  // Each is held to its own rules, so that one that is wrong stops no other.
  'gitpod.v1.CreateProjectsRequest': z.looseObject({ projects: some }),
  'gitpod.v1.UpdateProjectsRequest': z.looseObject({ projects: some }),
  'gitpod.v1.DeleteProjectsRequest': z.looseObject({ projectIds: uuids(100).min(1) }),
  'gitpod.v1.CreateProjectFromEnvironmentRequest': z.looseObject({
    name: z.string().min(1).max(80),
    environmentId: uuid,
  }),
  'gitpod.v1.GetProjectRequest': one,
  'gitpod.v1.DeleteProjectRequest': one,
  'gitpod.v1.ListProjectsRequest': z.looseObject({
    pagination,
    filter: z
      .looseObject({
        projectIds: uuids(25),
        search: z.string().max(256),
        runnerIds: uuids(25),
        runnerKinds: values(25),
        specRemoteUris: z.array(z.string().max(2_048)).max(25),
        creatorIds: uuids(25),
      })
      .optional(),
  }),
  'gitpod.v1.ListProjectEnvironmentClassesRequest': one,
  'gitpod.v1.UpdateProjectEnvironmentClassesRequest': z.looseObject({
    projectId: uuid,
    projectEnvironmentClasses: z
      .array(
        z.looseObject({
          environmentClass: z.looseObject({
            case: z.string('environmentClassId or localRunner'),
            value: z.union([uuid, z.boolean()]),
          }),
        }),
      )
      .min(1)
      .max(30),
  }),
}
