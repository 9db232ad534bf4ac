import { HearthError } from '@hearth/foundation'
import { labelled } from '../../../api/labelled.ts'
import type {
  AutomationsFile_Service as Service,
  AutomationsFile_Task as Task,
} from '../generated/gitpod/v1/environment_automation_pb.ts'
import { labelsOf, nameOfReference, requireMachine, requireManual } from './native-automation.ts'
import { nativeReadiness, requireNoStop } from './service.ts'

export function nativeTask(environment: string, reference: string, task: Task) {
  requireManual(task.triggeredBy, `tasks.${reference}.triggeredBy`)
  requireMachine(task.runsOn)
  return {
    ...named(reference, task),
    spec: {
      environment,
      command: task.command,
      dependsOn: task.dependsOn.map(nameOfReference),
      start: false,
    },
  }
}

export function nativeService(environment: string, reference: string, service: Service) {
  requireManual(service.triggeredBy, `services.${reference}.triggeredBy`)
  requireMachine(service.runsOn)
  requireNoStop(service.commands?.stop)
  return {
    ...named(reference, service),
    spec: {
      environment,
      command: service.commands?.start ?? '',
      readiness: nativeReadiness(service.commands?.ready, service.readinessTimeout),
      start: false,
    },
  }
}

function named(reference: string, { name, description }: Pick<Task, 'name' | 'description'>) {
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(reference))
    throw new HearthError(
      'invalid',
      'automationsFile: each reference must be 1 to 128 letters, digits, _ and -, and one is not',
    )
  return {
    name: nameOfReference(reference),
    labels: labelled({}, labelsOf({ reference, name, description })),
  }
}
