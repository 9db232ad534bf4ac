import { kinds } from '@hearth/contract'
import { defineKind } from './kind.ts'
import { describeProcess, environmentNames, processColumns, processRow } from './process-parts.ts'
import { removeFrom } from './remove-from.ts'

export const serviceKind = defineKind(kinds.Service, {
  columns: processColumns,
  namesNeeded: environmentNames,
  row: processRow,
  fetchAll: ({ client, signal }, { phase }) => client.services.listAll({ phase }, { signal }),
  fetchOne: ({ client, signal }, reference) => client.services.get(reference, { signal }),
  describe: describeProcess,
  remove: removeFrom((client) => client.services),
})
