import { generateKeyPairSync } from 'node:crypto'
import { type routeCreateSchema, routeLimits } from '@hearth/contract'
import { HearthError, invalidValue, newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { lockPlace } from '../../process/index.ts'
import { requireResource } from '../../quota/index.ts'
import { domainAtFirst, requireFreeDomain } from '../custom-domain.ts'
import { countRoutes, routeQueries } from '../queries.ts'
import { settleRoutes } from '../reconcile.ts'
import { emptyRouteStatus, type RouteRow, toRoute } from '../table.ts'

/** Leads a host name to a port of a machine. A name that another organization has below the same domain is refused. */
export const createRoute: Command<z.output<typeof routeCreateSchema>, RouteRow> = {
  async run(tx, { services, caller }, { name, labels, spec: wanted }) {
    const now = services.clock.now()
    const { environment, claim, port, access, customDomain = null } = wanted
    const machine = await lockPlace(tx, caller, { environment, claim })
    await requireResource(tx, caller.organizationId, caller.limits, 'routes')
    await requireFewRoutes(tx, machine)
    await requireFreeDomain(tx, {
      domain: customDomain,
      organizationId: caller.organizationId,
      routeId: null,
    })
    const label = name ?? (await nameFor(tx, machine))
    const id = newId()
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { organizationId, principalId: creator } = caller
    const row = await routeQueries.insert(
      tx,
      { id, organizationId, creator, name: label, labels, spec: { port, access, customDomain } },
      {
        environment_id: machine.id,
        claim_id: machine.claim_id,
        phase: 'pending',
        phase_since: now,
        desired: 'open',
        ticket_key: rawPublicKey(publicKey.export({ format: 'jwk' }).x ?? ''),
        signing_key: services.encryption.encrypt(signingKey, id),
        status: { ...emptyRouteStatus, domain: domainAtFirst(customDomain, now) },
      },
      `there is a route ${label} already: give this one another name, or change that one`,
    )
    if (!machine.has_routes)
      await tx.updateTable('environments').set({ has_routes: true }).where('id', '=', machine.id).execute()
    await recordEvent(tx, 'created', toRoute(row))
    const [settled = row] = await settleRoutes(tx, machine, [row], now)
    const { failure } = settled.status
    if (failure?.code === 'name_taken') throw new HearthError('conflict', takenMessage(label))
    return settled
  },
}

const takenMessage = (name: string) =>
  `another organization has a route whose host name begins with ${name}: give this one another name`

/** From the form of a JSON Web Key. */
const rawPublicKey = (x: string) => Buffer.from(x, 'base64url').toString('base64')

async function requireFewRoutes(tx: DatabaseTransaction, machine: EnvironmentRow): Promise<void> {
  const count = await countRoutes(tx, { environmentId: machine.id })
  if (count < routeLimits.ofEnvironment) return
  throw new HearthError(
    'conflict',
    `environment ${machine.name} has ${count} routes, which is the most: delete one first`,
  )
}

/** `web-` and the name of the claim or, where nobody has claimed it, of the environment. */
async function nameFor(tx: DatabaseTransaction, machine: EnvironmentRow): Promise<string> {
  const claim =
    machine.claim_id === null
      ? undefined
      : await tx.selectFrom('claims').select('name').where('id', '=', machine.claim_id).executeTakeFirst()
  const name = `web-${claim?.name ?? machine.name}`
  if (name.length <= 63) return name
  throw invalidValue({
    field: 'body.name',
    given: name,
    expected:
      'a name of at most 63 characters, since that of the machine is too long for one to be made of it',
  })
}
