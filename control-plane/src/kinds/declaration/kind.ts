import { applyResultSchema, projectDeclarationSchema, projectKind } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Kind } from '../../resource/define.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { applyDeclaration } from './commands.ts'

const apply: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: '/v1/apply',
    tag: projectKind.tag,
    summary: 'Make a project and its warm pools what a project file says, in one transaction',
    roles: writers,
    body: projectDeclarationSchema,
    answer: { status: 200, schema: applyResultSchema, description: 'What changed' },
    handle: async ({ body, perform }) => perform(applyDeclaration, body, (value) => ({ status: 200, value })),
  })

/** A project file: what it declares is of other kinds. */
export const declarationKind: Kind = { name: 'declaration', routes: [apply] }
