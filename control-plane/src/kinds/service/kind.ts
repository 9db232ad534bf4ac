import { serviceCreateSchema, serviceUpdateSchema, serviceKind as words } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import type { Kind } from '../../resource/define.ts'
import { processRoutes } from '../process/index.ts'
import { createService } from './commands.ts'

const { common, create, update } = processRoutes('service', words)

export const serviceKind: Kind = {
  name: 'service',
  routes: [
    create(
      {
        summary: 'Keep a command running in an environment',
        description: 'The service',
        roles: writers,
        body: serviceCreateSchema,
      },
      createService,
    ),
    update(serviceUpdateSchema),
    ...common,
  ],
}
