import { kinds, type Route } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { named, namesOf } from './names.ts'
import { removeFrom } from './remove-from.ts'

export const routeKind = defineKind(kinds.Route, {
  columns: ['NAME', 'URL', 'PORT', 'MACHINE', 'ACCESS', 'PHASE', 'AGE', 'ID'],
  namesNeeded: machineNames,
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    status.url ?? '-',
    String(spec.port),
    named(names, spec.environmentId),
    spec.access,
    terminal.tone(phaseTone(status.phase), status.phase),
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.routes.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.routes.get(reference, { signal }),
  describe: describeRoute,
  remove: removeFrom((client) => client.routes),
})

async function machineNames({ client, signal }: View, items: Promise<readonly Route[]>): Promise<Names> {
  const ids = (await items).map(({ spec }) => spec.environmentId)
  return await namesOf(client.environments, ids, signal)
}

function describeRoute(route: Route, { now, terminal }: View, names: Names): string {
  const { spec, status } = route
  const head = fields([
    ...headFields(route, now),
    ['URL', status.url],
    ['Leads to', `port ${spec.port} of environment ${named(names, spec.environmentId)}`],
    ['For', spec.access],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Waits for', status.waitsFor],
    ['Asked to start', status.wake?.at ?? null],
    ['Not started', status.wake?.fault ?? null],
  ])
  return status.failure === null ? head : [head, '', failureText(terminal, status.failure)].join('\n')
}
