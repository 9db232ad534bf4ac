import { type AppConfiguration, deploymentSeconds, type SpaceType } from '@hearth/contract'
import type { NewKeptProcess } from '../process/index.ts'
import {
  type AppFacts,
  healthCommand,
  placeOf,
  prepareScript,
  processCommand,
  type Release,
  releaseScript,
  serviceOf,
  switchScript,
  taskOf,
} from '../space/index.ts'

/** What a release is made of, and for which deployment. */
export interface ReleasePlan {
  deploymentId: string
  releaseId: string
  creator: string | null
  type: SpaceType
  app: AppFacts
  variables: Readonly<Record<string, string>>
  configuration: AppConfiguration
}

/** One instance of a process, as its service is named and run. */
export interface PlannedService {
  name: string
  /** Of the process. */
  role: string
  instance: number
  command: string
  http: { port: number; path: string; healthCheck: string | null } | null
  isSingleton: boolean
  memoryMebibytes: number | null
  cpus: number | null
}

/** Names of what a deployment keeps in its machine: none is another one's. */
const ending = ({ deploymentId }: Pick<ReleasePlan, 'deploymentId'>) => deploymentId.slice(-8)
const nameFor = (plan: Pick<ReleasePlan, 'deploymentId' | 'type'>, what: string) =>
  `app-${plan.type}-${what}-${ending(plan)}`

/** All instances of all processes, as the space says. */
export function servicesOf(
  plan: Pick<ReleasePlan, 'deploymentId' | 'type' | 'configuration'>,
): PlannedService[] {
  const isUat = plan.type === 'uat'
  return Object.entries(plan.configuration.processes).flatMap(([role, process]) =>
    Array.from({ length: process.instances }, (_, index) => ({
      name: nameFor(plan, `${role}-${index + 1}`),
      role,
      instance: index + 1,
      command: (isUat ? process.uatCommand : null) ?? process.command,
      http:
        process.http === null
          ? null
          : {
              port: isUat ? process.http.uatPort : process.http.port,
              path: process.http.path,
              healthCheck: process.http.healthCheck,
            },
      isSingleton: process.isSingleton,
      memoryMebibytes: process.memoryMebibytes,
      cpus: process.cpus,
    })),
  )
}

export const taskNames = {
  prepare: (plan: Pick<ReleasePlan, 'deploymentId' | 'type'>) => nameFor(plan, 'prepare'),
  release: (plan: Pick<ReleasePlan, 'deploymentId' | 'type'>, index: number) =>
    nameFor(plan, `release-${index + 1}`),
  switch: (plan: Pick<ReleasePlan, 'deploymentId' | 'type'>) => nameFor(plan, 'switch'),
  leadBack: (plan: Pick<ReleasePlan, 'deploymentId' | 'type'>) => nameFor(plan, 'lead-back'),
}

const releaseOf = ({ type, app, releaseId }: ReleasePlan): Release => ({
  space: placeOf(type),
  app: app.parts,
  releaseId,
})

const keptBy = ({ deploymentId: id }: ReleasePlan, role: string) => ({
  kind: 'Deployment' as const,
  id,
  role,
})

/** The ZIP that a release is unpacked from. */
export interface PlannedArchive {
  artifactId: string
  digest: string
  bytes: number
  /** What all its files say that they have together. */
  unpackedBytes: number
}

export function prepareTask(plan: ReleasePlan, archive: PlannedArchive): NewKeptProcess {
  const { space } = releaseOf(plan)
  const path = `/var/lib/hearth-app/${plan.releaseId}.zip`
  const { artifactId, digest, bytes, unpackedBytes } = archive
  const task = taskOf({
    name: taskNames.prepare(plan),
    command: prepareScript({
      release: releaseOf(plan),
      archivePath: path,
      unpackedBytes,
      variables: plan.variables,
    }),
    keptBy: keptBy(plan, 'prepare'),
    creator: plan.creator,
    deadlineSeconds: deploymentSeconds.preparing,
  })
  const inputs = [{ artifactId, digest, bytes, path, user: space.user }]
  return { ...task, spec: { ...task.spec, inputs } }
}

export function releaseTask(plan: ReleasePlan, index: number, command: string): NewKeptProcess {
  return taskOf({
    name: taskNames.release(plan, index),
    command: releaseScript(releaseOf(plan), command, plan.variables),
    keptBy: keptBy(plan, `release ${index + 1}`),
    creator: plan.creator,
    deadlineSeconds: deploymentSeconds.releasing,
  })
}

/** Leads the requests of the space to the release; of `keeper`, where that is another deployment which has failed. */
export function switchTask(
  plan: ReleasePlan,
  keeper: Pick<ReleasePlan, 'deploymentId' | 'type'> | null = null,
) {
  const upstreams = servicesOf(plan).flatMap(({ role, instance, http }) =>
    http === null ? [] : [{ name: role, instance, port: http.port, path: http.path }],
  )
  return taskOf({
    name: keeper === null ? taskNames.switch(plan) : taskNames.leadBack(keeper),
    command: switchScript(releaseOf(plan), upstreams),
    keptBy: keptBy(keeper === null ? plan : { ...plan, ...keeper }, keeper === null ? 'switch' : 'lead back'),
    creator: plan.creator,
    deadlineSeconds: deploymentSeconds.switching,
  })
}

/** Seconds that a process may take until it is ready. */
const readySeconds = 300

export function serviceTasks(plan: ReleasePlan): NewKeptProcess[] {
  const release = releaseOf(plan)
  return servicesOf(plan).map(({ name, role, instance, command, http, memoryMebibytes, cpus }) => {
    const process = { name: role, instance }
    const { variables } = plan
    return serviceOf({
      name,
      command: processCommand(release, { ...process, command, port: http?.port ?? null, variables }),
      keptBy: keptBy(plan, role),
      creator: plan.creator,
      readiness:
        http === null
          ? null
          : {
              kind: 'command',
              command: healthCommand(release, { ...process, port: http.port, path: http.healthCheck }),
              periodSeconds: 1,
              deadlineSeconds: readySeconds,
            },
      memoryMebibytes,
      cpus,
    })
  })
}
