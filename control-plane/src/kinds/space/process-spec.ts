import { defaultTaskSeconds, type Readiness, restartSchema, type TaskSchedule } from '@hearth/contract'
import type { KeptBy, NewKeptProcess } from '../process/index.ts'

/** What tasks and services of a web app have alike: root runs their scripts, which become the user of a space where they should. */
const common = {
  isDeclared: false,
  on: 'manual',
  folder: '/',
  user: 'root',
  variables: {},
  secrets: [],
  stopSignal: 'SIGTERM',
  memoryMebibytes: null,
  cpus: null,
  dependsOn: [],
} as const

export interface WantedTask {
  name: string
  command: string
  keptBy: KeptBy
  creator: string | null
  deadlineSeconds?: number
  schedule?: TaskSchedule | null
}

export function taskOf(wanted: WantedTask): NewKeptProcess {
  const { name, command, keptBy, creator, deadlineSeconds = defaultTaskSeconds, schedule = null } = wanted
  return {
    name,
    creator,
    spec: {
      kind: 'task',
      ...common,
      secrets: [],
      dependsOn: [],
      on: schedule === null ? 'manual' : 'cron',
      graceSeconds: 10,
      command,
      keptBy,
      deadlineSeconds,
      schedule,
      artifacts: [],
      restart: restartSchema.parse({ policy: 'never' }),
    },
  }
}

export interface WantedService {
  name: string
  command: string
  keptBy: KeptBy
  creator: string | null
  readiness: Readiness | null
  memoryMebibytes: number | null
  cpus: number | null
}

/** One that is begun again for as long as it is wanted, with pauses of a minute at most. */
export function serviceOf({ name, command, keptBy, creator, ...wanted }: WantedService): NewKeptProcess {
  return {
    name,
    creator,
    spec: {
      kind: 'service',
      ...common,
      secrets: [],
      dependsOn: [],
      graceSeconds: 30,
      command,
      keptBy,
      ...wanted,
      restart: restartSchema.parse({ policy: 'always', limit: 1_000 }),
    },
  }
}
