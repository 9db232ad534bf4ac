import { spaceTypes, webAppSeconds } from '@hearth/contract'
import type { NewKeptProcess } from '../process/index.ts'
import { placeOf, removeSpaceScript, setUpScript, taskOf } from '../space/index.ts'
import type { WebAppRow } from './table.ts'

type Of = Pick<WebAppRow, 'id' | 'creator' | 'spec'>

export const setUpRole = 'set up'
export const removalRoles = spaceTypes.map((type) => `remove ${type}`)

/** Makes its spaces in the machine; run again it does what is left to do. */
export function setUpTask({ id, creator, spec }: Of): NewKeptProcess {
  const { runtime, database, cache } = spec
  return taskOf({
    name: 'app-set-up',
    command: setUpScript({ runtime, database, cache }, spaceTypes.map(placeOf)),
    keptBy: { kind: 'WebApp', id, role: setUpRole },
    creator,
    deadlineSeconds: webAppSeconds.setUp,
  })
}

export const removalTasks = ({ id, creator }: Of): NewKeptProcess[] =>
  spaceTypes.map((type) =>
    taskOf({
      name: `app-remove-${type}`,
      command: removeSpaceScript(placeOf(type)),
      keptBy: { kind: 'WebApp', id, role: `remove ${type}` },
      creator,
      deadlineSeconds: webAppSeconds.deleting,
    }),
  )
