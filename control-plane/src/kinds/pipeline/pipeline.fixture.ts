import { pipelineRuntimeSettingsSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Insertable } from 'kysely'
import { named, now, type Party } from '../party.fixture.ts'
import { newPipelineStatus, type PipelineTable, type StoredPipelineSpec } from './table.ts'

const spec: StoredPipelineSpec = {
  description: '',
  tags: [],
  program: { toolchain: 'command', codeBytes: 7, digest: '', configuration: { build: 'make', run: './run' } },
  runtime: pipelineRuntimeSettingsSchema.parse({}),
  initial: null,
  bootstrapPolicy: null,
}

/** A pipeline that is stopped unless that is changed, and of which no event was written yet. */
export async function makePipeline(
  party: Party,
  change: Partial<Insertable<PipelineTable>> = {},
): Promise<string> {
  const id = newId()
  await party.database
    .insertInto('pipelines')
    .values({
      ...named(id, party.organizationId, 'pipeline'),
      spec: JSON.stringify(spec),
      status: JSON.stringify(newPipelineStatus(now)),
      environment_class_id: await party.environmentClass(),
      ...{
        phase: 'stopped',
        resources: 'stopped',
        desired: 'stopped',
        program: 'pending',
        storage: 'cleared',
      },
      ...{ runtime: null, desired_runtime: null, deadline: null, event_at: null },
      ...{ code: 'program', udf_rust: '', udf_toml: '' },
      ...{ environment_id: null, snapshot_id: null, volume_id: null },
      ...change,
    })
    .execute()
  return id
}
