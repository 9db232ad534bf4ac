import type { MessageInitShape } from '@bufbuild/protobuf'
import type { RouteAccess } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { type RouteRow, urlOf } from '../../../kinds/route/index.ts'
import {
  AdmissionLevel,
  type EnvironmentSpec_EnvironmentPort as EnvironmentPort,
  type EnvironmentSpec_EnvironmentPortSchema as EnvironmentPortSchema,
  EnvironmentSpec_EnvironmentPort_Protocol as Protocol,
} from '../generated/gitpod/v1/environment_spec_pb.ts'

/** The label of a route that is a port of an environment here: what the port is called. */
export const portLabel = 'ona/port'

/** Whoever is not everybody needs the token of the port. */
const accessOf = (admission: AdmissionLevel): RouteAccess =>
  admission === AdmissionLevel.EVERYONE ? 'public' : 'token'

export const nativePorts = (ports: readonly EnvironmentPort[]) =>
  ports.map(({ port, admission, name, protocol }, index) => {
    if (protocol === Protocol.HTTPS)
      throw new HearthError(
        'unprocessable',
        `spec.ports[${index}].protocol: must be PROTOCOL_HTTP: HTTPS ends at the address of the port, and goes on to the machine as HTTP`,
      )
    return { port, access: accessOf(admission), labels: { [portLabel]: name } }
  })

export function toOnaPort({ spec, labels }: RouteRow): MessageInitShape<typeof EnvironmentPortSchema> {
  const admission = spec.access === 'public' ? AdmissionLevel.EVERYONE : AdmissionLevel.CREATOR_ONLY
  return { port: spec.port, admission, name: labels[portLabel] ?? '' }
}

/** Those that are served: clients go there as soon as they read it. */
export const toOnaUrls = (routes: readonly RouteRow[]) =>
  routes.flatMap((route) => {
    const url = urlOf(route)
    return url === null || route.phase !== 'active' ? [] : [{ port: route.spec.port, url }]
  })
