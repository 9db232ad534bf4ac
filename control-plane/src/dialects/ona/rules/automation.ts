import { processLimits } from '@hearth/contract'
import { z } from 'zod'
import { orNothing, pagination, uuid, uuids, values } from './values.ts'

const one = z.looseObject({ id: uuid })
const reference = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, '1 to 128 letters, digits, _ and -')
const references = z.array(reference).max(25)
const metadata = z.looseObject({ reference: orNothing(reference), name: z.string().max(80) }).optional()
const changed = z.looseObject({ name: z.string().max(80).optional() }).optional()
const mostReadySeconds = 86_400n
const serviceSpec = z
  .looseObject({
    readinessTimeout: z
      .looseObject({
        seconds: z.bigint().min(0n, 'from 0 s to 24 h').max(mostReadySeconds, 'from 0 s to 24 h'),
        nanos: z.literal(0, 'whole seconds'),
      })
      .optional(),
  })
  .optional()
const dependsOn = z.array(z.string().max(128)).max(32)
const few = z
  .record(z.string(), z.looseObject({ name: z.string().max(80) }))
  .refine(
    (named) => Object.keys(named).length <= processLimits.processes,
    `at most ${processLimits.processes}`,
  )
const list = (filter: z.ZodRawShape) =>
  z.looseObject({ pagination, filter: z.looseObject(filter).optional() })

export const automationRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreateTaskRequest': z.looseObject({ environmentId: uuid, metadata, dependsOn }),
  'gitpod.v1.GetTaskRequest': one,
  'gitpod.v1.ListTasksRequest': list({ environmentIds: uuids(25), references, taskIds: uuids(25) }),
  'gitpod.v1.UpdateTaskRequest': z.looseObject({ id: uuid, metadata: changed, dependsOn }),
  'gitpod.v1.DeleteTaskRequest': one,
  'gitpod.v1.StartTaskRequest': one,
  'gitpod.v1.ListTaskExecutionsRequest': list({
    taskIds: uuids(25),
    taskReferences: references,
    environmentIds: uuids(25),
    phases: values(10),
  }),
  'gitpod.v1.GetTaskExecutionRequest': one,
  'gitpod.v1.StopTaskExecutionRequest': one,
  'gitpod.v1.CreateServiceRequest': z.looseObject({ environmentId: uuid, metadata, spec: serviceSpec }),
  'gitpod.v1.GetServiceRequest': one,
  'gitpod.v1.ListServicesRequest': list({
    environmentIds: uuids(25),
    references,
    serviceIds: uuids(25),
    roles: values(10),
  }),
  'gitpod.v1.UpdateServiceRequest': z.looseObject({ id: uuid, metadata: changed, spec: serviceSpec }),
  'gitpod.v1.DeleteServiceRequest': one,
  'gitpod.v1.StartServiceRequest': one,
  'gitpod.v1.StopServiceRequest': one,
  'gitpod.v1.UpsertAutomationsFileRequest': z.looseObject({
    environmentId: uuid,
    automationsFile: z.looseObject({ tasks: few, services: few }).optional(),
  }),
}
