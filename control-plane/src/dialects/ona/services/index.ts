import type { ConnectRouter } from '@connectrpc/connect'
import { PrebuildService } from '../generated/gitpod/v1/prebuild_pb.ts'
import { prebuildService } from './prebuild.ts'

/** Adds the methods that there are; all others are answered as unimplemented. */
export function addServices(router: ConnectRouter): void {
  router.service(PrebuildService, prebuildService)
}
