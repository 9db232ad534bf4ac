import { taskCreateSchema, taskUpdateSchema, taskKind as words } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import type { Kind } from '../../resource/define.ts'
import { processRoutes } from '../process/index.ts'
import { createTask } from './commands.ts'

const { common, create, update } = processRoutes('task', words)

export const taskKind: Kind = {
  name: 'task',
  routes: [
    create(
      {
        summary: 'Run a command in an environment to its end',
        description: 'The task',
        roles: writers,
        body: taskCreateSchema,
      },
      createTask,
    ),
    update(taskUpdateSchema),
    ...common,
  ],
}
