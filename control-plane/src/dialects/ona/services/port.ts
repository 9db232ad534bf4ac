import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { type HeldEnvironment, requireEntry } from '../../../kinds/environment/index.ts'
import { createRouteToken, type RouteRow, readRoutesOf, setPorts } from '../../../kinds/route/index.ts'
import {
  CreatePortAccessTokenResponseSchema,
  type EnvironmentService,
} from '../generated/gitpod/v1/environment_pb.ts'
import type { EnvironmentSpec_EnvironmentPort as EnvironmentPort } from '../generated/gitpod/v1/environment_spec_pb.ts'
import { nativePorts, portLabel } from '../translate/ports.ts'
import { type Call, callOf } from '../wire/call.ts'
import { findHeldEnvironment } from './environment-shown.ts'

type Methods = 'createPortAccessToken' | 'allowPortAccess'

export const portMethods: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  /** One that was made before is of no use any more. */
  async createPortAccessToken({ environmentId, port }, context) {
    const call = callOf(context)
    const { id, spec, name } = await find(call, environmentId, port)
    if (spec.access !== 'token')
      throw new HearthError(
        'unprocessable',
        `port: ${port} is open without a token: route ${name} is ${spec.access}`,
      )
    const answer = CreatePortAccessTokenResponseSchema
    return call.perform(createRouteToken, { reference: id, body: {} }, answer, ({ token }) => ({
      accessToken: token,
    }))
  },

  async allowPortAccess({ environmentId, port }, context) {
    const call = callOf(context)
    const { database } = call.services
    const machine = await findHeldEnvironment(database, call, environmentId)
    const routes = await readRoutesOf(database, call.caller, environmentId)
    const route = routes.find(({ spec }) => spec.port === port)
    if (route === undefined || route.spec.access === 'public') return { allowed: route !== undefined }
    return { allowed: await mayEnterMachine(call, machine) }
  },
}

/** Whether the caller would get the token of a port of it. */
async function mayEnterMachine({ services, caller }: Call, machine: HeldEnvironment): Promise<boolean> {
  try {
    await requireEntry(services.database, caller, machine)
    return true
  } catch (thrown) {
    if (thrown instanceof HearthError && thrown.code === 'forbidden') return false
    throw thrown
  }
}

async function find(call: Call, environmentId: string, port: number): Promise<RouteRow> {
  const routes = await readRoutesOf(call.services.database, call.caller, environmentId)
  const route = routes.find(({ spec }) => spec.port === port)
  if (route !== undefined) return route
  throw new HearthError('not_found', `environment ${environmentId} has no port ${port}: add it to spec.ports`)
}

/** The command, and the ports of the machine that it is about, in one transaction. No port changes nothing. */
export function withPorts<Input, Outcome>(
  command: Command<Input, Outcome>,
  ports: readonly EnvironmentPort[] | undefined,
  environmentIdOf: (outcome: Outcome) => string,
): Command<Input, Outcome> {
  if (ports === undefined || ports.length === 0) return command
  return {
    ...command,
    async run(tx, context, input, prepared) {
      const outcome = await command.run(tx, context, input, prepared)
      const wanted = { environmentId: environmentIdOf(outcome), label: portLabel, ports: nativePorts(ports) }
      await setPorts.run(tx, { ...context, expectedVersion: null }, wanted, undefined)
      return outcome
    },
  }
}
