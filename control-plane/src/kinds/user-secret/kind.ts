import { userSecretCreateSchema, userSecretUpdateSchema, userSecretKind as words } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeUserSecret, createUserSecret, deleteUserSecret } from './commands.ts'
import { ownSecrets } from './queries.ts'
import { toUserSecret, type UserSecretRow } from './table.ts'

const routes = routesOf({ words, find: ownSecrets.find, show: (_, row: UserSecretRow) => toUserSecret(row) })
const change = { description: 'The secret, without its value', roles: writers }

export const userSecretKind: Kind = {
  name: 'user-secret',
  routes: [
    routes.list(
      { summary: 'List your own secrets, without their values', description: words.tag },
      {},
      ownSecrets.list,
    ),
    routes.create(
      {
        ...change,
        summary: 'Keep a secret that the machines you claim are given: a variable, or a password for git',
        body: userSecretCreateSchema,
      },
      createUserSecret,
    ),
    routes.show({ summary: 'Show one of your secrets, without its value', description: change.description }),
    routes.update(
      {
        ...change,
        summary: 'Change the value or the end of one of your secrets',
        body: userSecretUpdateSchema,
      },
      changeUserSecret,
    ),
    routes.remove({ ...change, summary: 'Delete one of your secrets' }, deleteUserSecret),
  ],
}
