import { applyResultSchema, projectDeclarationSchema } from '@hearth/contract'
import type { Application } from '../../api/application.ts'
import { writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { applyDeclaration } from './apply.ts'

export function addDeclarationRoutes(application: Application, services: Services): void {
  addEndpoint(application, services, {
    method: 'post',
    path: '/v1/apply',
    tag: 'Projects',
    summary: 'Make a project and its warm pools what a project file says, in one transaction',
    roles: writers,
    body: projectDeclarationSchema,
    answer: { status: 200, schema: applyResultSchema, description: 'What changed' },
    handle: async ({ caller, body, once, expectedVersion }) =>
      once(async (tx) => ({
        status: 200,
        value: await applyDeclaration(tx, services.encryption, caller, body, expectedVersion),
      })),
  })
}
