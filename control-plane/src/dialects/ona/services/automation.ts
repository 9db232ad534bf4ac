import type { ServiceImpl } from '@connectrpc/connect'
import type { EnvironmentAutomationService } from '../generated/gitpod/v1/environment_automation_pb.ts'
import { serviceMethods } from './automation-service.ts'
import { taskMethods } from './automation-task.ts'
import { automationsFileMethods } from './automations-file.ts'
import { executionMethods } from './task-execution.ts'

export const automationService: Partial<ServiceImpl<typeof EnvironmentAutomationService>> = {
  ...taskMethods,
  ...executionMethods,
  ...serviceMethods,
  ...automationsFileMethods,
}
