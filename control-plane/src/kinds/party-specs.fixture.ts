import { defaultCheckpointRetention, type ProjectSpec, pipelineRuntimeSettingsSchema } from '@hearth/contract'
import type { StoredPipelineSpec } from './pipeline/table.ts'

export const classSpec = {
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 4,
  image: 'debian-12',
  region: null,
  runnerSelector: {},
}
export const projectSpec: ProjectSpec = {
  repositories: [],
  variables: {},
  secretNames: [],
  setup: [],
  onHostLoss: 'wait',
  onCrash: 'restart',
  prebuilds: null,
  snapshots: defaultCheckpointRetention,
  life: {},
  environmentClasses: [],
  tasks: {},
  services: {},
}

export const pipelineSpec: StoredPipelineSpec = {
  description: '',
  tags: [],
  program: { toolchain: 'command', codeBytes: 7, digest: '', configuration: { build: 'make', run: './run' } },
  runtime: pipelineRuntimeSettingsSchema.parse({}),
  initial: null,
  bootstrapPolicy: null,
}
