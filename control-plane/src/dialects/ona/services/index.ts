import type { ConnectRouter } from '@connectrpc/connect'
import { EnvironmentAutomationService } from '../generated/gitpod/v1/environment_automation_pb.ts'
import { EnvironmentService } from '../generated/gitpod/v1/environment_pb.ts'
import { EventService } from '../generated/gitpod/v1/event_pb.ts'
import { IdentityService } from '../generated/gitpod/v1/identity_pb.ts'
import { PrebuildService } from '../generated/gitpod/v1/prebuild_pb.ts'
import { ProjectService } from '../generated/gitpod/v1/project_pb.ts'
import { RunnerConfigurationService } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { RunnerService } from '../generated/gitpod/v1/runner_pb.ts'
import { SecretService } from '../generated/gitpod/v1/secret_pb.ts'
import { automationService } from './automation.ts'
import { environmentService } from './environment.ts'
import { runnerConfigurationService } from './environment-class.ts'
import { eventService } from './event.ts'
import { identityService } from './identity.ts'
import { prebuildService } from './prebuild.ts'
import { projectService } from './project.ts'
import { runnerService } from './runner.ts'
import { secretService } from './secret.ts'

/** Adds the methods that there are; all others are answered as unimplemented. */
export function addServices(router: ConnectRouter): void {
  router.service(PrebuildService, prebuildService)
  router.service(EnvironmentService, environmentService)
  router.service(EnvironmentAutomationService, automationService)
  router.service(RunnerConfigurationService, runnerConfigurationService)
  router.service(ProjectService, projectService)
  router.service(RunnerService, runnerService)
  router.service(SecretService, secretService)
  router.service(EventService, eventService)
  router.service(IdentityService, identityService)
}
