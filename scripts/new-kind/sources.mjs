export const table = ({
  pascal,
  table,
}) => `import type { Failure, ${pascal}, ${pascal}Phase, ${pascal}Spec } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface Stored${pascal}Status {
  failure: Failure | null
  observedSpecVersion: number
}

export interface ${pascal}Table extends ResourceTable<${pascal}Spec, Stored${pascal}Status> {
  phase: ${pascal}Phase
  deadline: Date | null
}
export interface ${pascal}Tables {
  ${table}: ${pascal}Table
}
export type ${pascal}Row = Selectable<${pascal}Table>

export function to${pascal}(row: ${pascal}Row): ${pascal} {
  const { failure, observedSpecVersion } = row.status
  return {
    kind: '${pascal}',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
`

export const queries = ({
  noun,
  camels,
  table,
}) => `import { resourceQueries } from '../../resource/queries.ts'

export const ${camels} = resourceQueries('${table}', { noun: '${noun}', names: 'unique' })
`

export const decide = ({
  article,
  noun,
  camel,
  pascal,
}) => `import { type ${pascal}Phase, ${camel}Kind } from '@hearth/contract'

/** What is known of ${article} ${noun}. */
export interface ${pascal}Sight {
  phase: ${pascal}Phase
  /** Of the present phase; null where it waits for nothing. */
  deadline: Date | null
  observedSpecVersion: number
  specVersion: number
}

export type ${pascal}Action = { phase: ${pascal}Phase; observedSpecVersion: number }

/** What follows from what is wanted and what is seen; null when all is as it should be. */
export function decide({ phase, observedSpecVersion, specVersion }: ${pascal}Sight): ${pascal}Action | null {
  if (phase === 'ready' && observedSpecVersion === specVersion) return null
  return { phase: 'ready', observedSpecVersion: specVersion }
}

/** How long it may be pending, in seconds. */
export const pendingSeconds =
  'deadlineSeconds' in ${camel}Kind.waits.pending ? ${camel}Kind.waits.pending.deadlineSeconds : null
`

export const reconcile = ({
  name,
  camels,
  camel,
  pascal,
}) => `import type { Reconciler } from '../../reconciling/reconciler.ts'
import { recordEvent } from '../../resource/record.ts'
import { decide } from './decide.ts'
import { ${camels} } from './queries.ts'
import { to${pascal} } from './table.ts'

export const ${camel}Reconciler: Reconciler = {
  kind: '${name}',
  async reconcile(id, { tx }) {
    const row = await ${camels}.lockById(tx, id)
    if (row === undefined) return null
    const { phase, deadline, status, spec_version: specVersion } = row
    const action = decide({ phase, deadline, observedSpecVersion: status.observedSpecVersion, specVersion })
    if (action === null) return null
    const changed = await ${camels}.changeStatus(tx, id, {
      phase: action.phase,
      deadline: null,
      status: { failure: null, observedSpecVersion: action.observedSpecVersion },
    })
    await recordEvent(tx, 'updated', to${pascal}(changed))
    return null
  },
}
`

export const commands = ({
  name,
  camels,
  camel,
  pascal,
}) => `import type { ${camel}CreateSchema, ${camel}UpdateSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { wake } from '../../reconciling/wake.ts'
import { given, newResource } from '../../resource/change.ts'
import { recordEvent } from '../../resource/record.ts'
import type { OnOne } from '../../resource/routes.ts'
import { pendingSeconds } from './decide.ts'
import { ${camels} } from './queries.ts'
import { type ${pascal}Row, to${pascal} } from './table.ts'

export const create${pascal}: Command<z.output<typeof ${camel}CreateSchema>, ${pascal}Row> = {
  async run(tx, { services, caller }, body) {
    const now = services.clock.now().getTime()
    const row = await ${camels}.insert(tx, newResource(caller, body), {
      phase: 'pending',
      deadline: pendingSeconds === null ? null : new Date(now + pendingSeconds * 1000),
      status: { failure: null, observedSpecVersion: 0 },
    })
    await recordEvent(tx, 'created', to${pascal}(row))
    await wake(tx, '${name}', row.id)
    return row
  },
}

export const change${pascal}: Command<OnOne<z.output<typeof ${camel}UpdateSchema>>, ${pascal}Row> = {
  async run(tx, context, { reference, body }) {
    const row = await ${camels}.lockForChange(tx, context, reference)
    const spec = { ...row.spec, ...given(body.spec) }
    const changed = await ${camels}.changeSpec(tx, row.id, { labels: body.labels ?? row.labels, spec })
    await recordEvent(tx, 'updated', to${pascal}(changed))
    await wake(tx, '${name}', row.id)
    return changed
  },
}

export const delete${pascal}: Command<OnOne, ${pascal}Row> = {
  async run(tx, context, { reference }) {
    const row = await ${camels}.lockForChange(tx, context, reference)
    await ${camels}.remove(tx, row.id)
    await recordEvent(tx, 'deleted', to${pascal}(row))
    return row
  },
}
`

export const kind = ({ name, noun, article, nouns, camels, camel, pascal }) => `import {
  ${camel}CreateSchema,
  ${camel}UpdateSchema,
  nameSchema,
  ${camel}Kind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { change${pascal}, create${pascal}, delete${pascal} } from './commands.ts'
import { ${camels} } from './queries.ts'
import { ${camel}Reconciler } from './reconcile.ts'
import { to${pascal} } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: ${camels}.find,
  show: (_, row) => to${pascal}(row),
})
const change = { description: 'The ${noun}', roles: writers }

export const ${camel}Kind: Kind = {
  name: '${name}',
  routes: [
    routes.list(
      { summary: 'List ${nouns}', description: words.tag },
      { name: nameSchema.optional() },
      (queryable, { name, ...page }) => ${camels}.list(queryable, page, { name }),
    ),
    routes.create({ ...change, summary: 'Make ${article} ${noun}', body: ${camel}CreateSchema }, create${pascal}),
    routes.show({ summary: 'Show ${article} ${noun}', description: 'The ${noun}' }),
    routes.update({ ...change, summary: 'Change ${article} ${noun}', body: ${camel}UpdateSchema }, change${pascal}),
    routes.remove({ ...change, summary: 'Delete ${article} ${noun}' }, delete${pascal}),
  ],
  reconcilers: () => [${camel}Reconciler],
}
`

export const index = ({
  camels,
  pascal,
}) => `export { change${pascal}, create${pascal}, delete${pascal} } from './commands.ts'
export { ${camels} } from './queries.ts'
`
