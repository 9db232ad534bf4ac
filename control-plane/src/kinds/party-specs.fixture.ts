import { defaultCheckpointRetention, type ProjectSpec } from '@hearth/contract'

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
