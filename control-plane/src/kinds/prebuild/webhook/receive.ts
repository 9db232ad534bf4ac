import { createHash } from 'node:crypto'
import { HearthError, isId } from '@hearth/foundation'
import { z } from 'zod'
import { parseJson } from '../../../api/json-body.ts'
import type { Services } from '../../../api/services.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { type ProjectRow, projects, readSecrets, specOf } from '../../project/index.ts'
import { triggerPrebuild } from '../make.ts'
import { unconcerned } from './match.ts'
import { type Push, readPush } from './push.ts'
import { type Delivery, isSigned, readDelivery } from './signature.ts'

export const webhookAnswerSchema = z.object({
  prebuildIds: z.array(z.uuid()).meta({ description: 'Those that it leads to' }),
  ignored: z.string().nullable().meta({ description: 'Why it leads to none' }),
})
export type WebhookAnswer = z.infer<typeof webhookAnswerSchema>

const ignore = (ignored: string): WebhookAnswer => ({ prebuildIds: [], ignored })

/**
 * Takes what a git server tells of a project. The signature is checked before anything of the body is read; an unknown
 * project, one that takes no pushes and a wrong signature get the same answer.
 */
export async function receiveWebhook(
  { database, encryption, clock }: Pick<Services, 'database' | 'encryption' | 'clock'>,
  projectId: string,
  header: (name: string) => string | undefined,
  body: Buffer,
): Promise<WebhookAnswer> {
  const delivery = readDelivery(header)
  const project = isId(projectId) ? await projects.readById(database, projectId) : undefined
  const configured = project === undefined ? null : specOf(project).prebuilds
  const secrets = project === undefined ? {} : await readSecrets(database, encryption, project.id)
  const secret = configured?.push === true ? (secrets[configured.webhookSecret ?? ''] ?? '') : ''
  if (project === undefined || delivery === null || secret === '' || !isSigned(delivery, secret, body))
    throw new HearthError('unauthenticated', 'no project takes pushes here with this signature')
  const push = pushOf(delivery, body)
  if ('ignored' in push) return ignore(push.ignored)
  const because = unconcerned(push, specOf(project).repositories)
  if (because !== null) return ignore(because)
  const digest = createHash('sha256').update(body).digest('hex')
  return transact(database, (tx) => take(tx, project.id, digest, push, clock.now()))
}

function pushOf({ server, event }: Delivery, body: Buffer): Push | { ignored: string } {
  const parsed = parseJson(body.toString('utf8'))
  try {
    return readPush(server, event, parsed)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    const at = error.issues[0]?.path.join('.') ?? ''
    throw new HearthError('invalid', `the body is no push as ${server} sends it: ${at}`, {
      details: [{ field: `body.${at}`, given: 'another value', expected: `as in a push of ${server}` }],
    })
  }
}

/** What is signed names a delivery, not its headers: one that is sent again changes nothing. */
async function take(
  tx: DatabaseTransaction,
  projectId: string,
  delivery: string,
  push: Push,
  now: Date,
): Promise<WebhookAnswer> {
  const project = await projects.lockById(tx, projectId)
  if (project === undefined || project.phase !== 'active') return ignore('the project is being deleted')
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('prebuild_deliveries')
    .values({ project_id: projectId, delivery, received_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows === 0n) return ignore('it was delivered before')
  const prebuildIds = await trigger(tx, project, push, now)
  return { prebuildIds, ignored: prebuildIds.length === 0 ? 'none of its classes is there' : null }
}

async function trigger(
  tx: DatabaseTransaction,
  project: ProjectRow,
  { by, ref, commit }: Push,
  now: Date,
): Promise<string[]> {
  const made: string[] = []
  for (const name of specOf(project).prebuilds?.classes ?? []) {
    const scope = { organizationId: project.organization_id }
    const environmentClass = await environmentClasses.find(tx, scope, name)
    if (environmentClass === undefined) continue
    const { id } = await triggerPrebuild(tx, {
      project,
      environmentClass,
      trigger: { kind: 'push', by, ref, commit },
      executorId: project.creator,
      branch: null,
      labels: {},
      now,
    })
    made.push(id)
  }
  return made
}
