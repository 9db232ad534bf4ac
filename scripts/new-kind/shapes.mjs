/** What goes over the wire. */
export const contract = ({ noun, nouns, camel, pascal }) => `import { z } from 'zod'
import { defineKind, rests } from './kind-definition.ts'
import { labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'

export const ${camel}SpecSchema = z.strictObject({ size: z.int().min(1).max(1_000) })
export type ${pascal}Spec = z.infer<typeof ${camel}SpecSchema>
export const ${camel}PhaseSchema = z.enum(['pending', 'ready'])
export type ${pascal}Phase = z.infer<typeof ${camel}PhaseSchema>
export const ${camel}StatusSchema = z.object({ phase: ${camel}PhaseSchema, ...statusFields })
export const ${camel}Schema = resourceSchema('${pascal}', ${camel}SpecSchema, ${camel}StatusSchema).meta({
  id: '${pascal}',
})
export type ${pascal} = z.infer<typeof ${camel}Schema>

export const ${camel}CreateSchema = z
  .strictObject({ name: nameSchema, labels: labelsSchema.default({}), spec: ${camel}SpecSchema })
  .meta({ id: '${pascal}Create' })
export const ${camel}UpdateSchema = z
  .strictObject({ labels: labelsSchema.optional(), spec: ${camel}SpecSchema.partial().optional() })
  .meta({ id: '${pascal}Update' })

export const ${camel}Kind = defineKind({
  kind: '${pascal}',
  schema: ${camel}Schema,
  summary: '${nouns}, whatever they are',
  hasEvents: true,
  isExplained: false,
  waits: {
    pending: { waitsFor: 'the ${noun} to be ready', deadlineSeconds: 60 },
    ready: rests,
  },
  tones: { ready: 'good' },
})
`

/** The table; it only adds. */
export const migration = ({ camel, nouns, table }) => `import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** ${nouns.charAt(0).toUpperCase()}${nouns.slice(1)}. */
export const ${camel}: Migration = {
  async up(database) {
    await sql
      .raw(\`
        CREATE TABLE ${table} (\${resourceColumns},
          phase text NOT NULL,
          deadline timestamptz,
          UNIQUE (organization_id, name));
      \`)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE ${table}').execute(database)
  },
}
`
