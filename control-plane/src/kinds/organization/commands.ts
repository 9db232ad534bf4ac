import type { Organization, organizationCreateSchema, organizationUpdateSchema } from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { found, requireVersion } from '../../api/lookup.ts'
import { wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import type { OnOne } from '../../resource/routes.ts'
import { poolsThatWait } from '../quota/index.ts'
import { createPrincipal, createToken, forgetCallers } from '../token/index.ts'
import { findVisibleOrganization, insertOrganization, isInstallations, organizations } from './queries.ts'
import { type OrganizationRow, toOrganization } from './table.ts'

/** Makes an organization, and an administrator whose token's secret is in this outcome alone. */
export const createOrganization: Command<
  z.output<typeof organizationCreateSchema>,
  { row: OrganizationRow; secret: string }
> = {
  async prepare({ services, caller }) {
    if (await isInstallations(services.database, caller.organizationId)) return
    throw new HearthError('forbidden', 'only administrators of the first organization make others')
  },
  async run(tx, { services, caller }, body) {
    const row = await insertOrganization(tx, services.encryption, { ...body, creator: caller.principalId })
    const principal = { organization_id: row.id, kind: 'user' as const, name: 'administrator' }
    const principalId = await createPrincipal(tx, principal)
    const { secret } = await createToken(tx, {
      organizationId: row.id,
      principalId,
      name: 'administrator',
      roles: ['administrator'],
    })
    await recordEvent(tx, 'created', toOrganization(row))
    return { row, secret }
  },
}

/** Its quotas are for administrators of the first one. */
export const changeOrganization: Command<
  OnOne<z.output<typeof organizationUpdateSchema>>,
  OrganizationRow
> = {
  async run(tx, { caller, expectedVersion }, { reference, body }) {
    const isFirst = await isInstallations(tx, caller.organizationId)
    const { id } = found(
      await findVisibleOrganization(tx, caller.organizationId, reference),
      'organization',
      reference,
    )
    const row = found(await organizations.lock(tx, { organizationId: id }, id), 'organization', reference)
    requireVersion(expectedVersion, row.spec_version)
    const changed = await organizations.changeSpec(tx, row.id, {
      labels: body.labels ?? row.labels,
      spec: body.spec === undefined ? row.spec : keepUnnamed(row.spec, body.spec, isFirst),
    })
    await recordEvent(tx, 'updated', toOrganization(changed))
    await forgetCallers(tx)
    await wakeMany(tx, await poolsThatWait(tx, [row.id]))
    return changed
  },
}

/** A change that names no quotas, or no cap, leaves them as they are. */
function keepUnnamed(
  before: Organization['spec'],
  wanted: Organization['spec'],
  maySet: boolean,
): Organization['spec'] {
  const { lifeCap = before.lifeCap } = wanted
  return { ...keepQuotas(before, wanted, maySet), ...(lifeCap === undefined ? {} : { lifeCap }) }
}

function keepQuotas(
  before: Organization['spec'],
  wanted: Organization['spec'],
  maySet: boolean,
): Organization['spec'] {
  if (wanted.quotas === undefined)
    return { ...wanted, ...(before.quotas === undefined ? {} : { quotas: before.quotas }) }
  if (maySet || canonicalJson(wanted.quotas) === canonicalJson(before.quotas)) return wanted
  throw new HearthError('forbidden', 'only administrators of the first organization set quotas')
}
