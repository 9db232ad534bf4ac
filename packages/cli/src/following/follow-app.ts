import { type Deployment, deploymentSchema, type WebApp, webAppSchema } from '@hearth/contract'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { Invocation } from '../invocation.ts'
import type { View } from '../kinds/kind.ts'
import { failureText } from '../output/describe.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { followResource } from './follow-resource.ts'

type Following = Pick<Invocation, 'terminal' | 'clock'>

/** Shows a web app live until it is set up; throws with the cause when that fails. */
export async function followWebApp(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  made: WebApp,
  { terminal, clock }: Following,
): Promise<WebApp> {
  const title = `web app ${made.metadata.name}`
  const ended = await followResource(
    client,
    made,
    {
      kind: 'WebApp',
      schema: webAppSchema,
      title,
      read: (id, reading) => client.webApps.get(id, reading),
      hasEnded: ({ status }) => status.phase !== 'provisioning',
      isGood: ({ status }) => status.phase === 'ready',
      summary: (app) => `${title}: ${progress(app)}`,
      draw: (app) => terminal.tone(phaseTone(app.status.phase), progress(app)),
      changes: (before, next) => (progress(before) === progress(next) ? [] : [`${title}: ${progress(next)}`]),
    },
    { terminal, clock, signal },
  )
  const { phase, failure } = ended.status
  if (phase === 'ready') return ended
  const cause = failure === null ? '' : `\n${failureText(terminal, failure)}`
  throw new CommandError(`${title} is ${phase}${cause}`, exitCodes.failure)
}

/** Shows a deployment live until its end; throws with the cause and the last lines when it did not succeed. */
export async function followDeployment(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  made: Deployment,
  { terminal, clock }: Following,
): Promise<Deployment> {
  const title = `deployment ${made.metadata.name}`
  const ended = await followResource(
    client,
    made,
    {
      kind: 'Deployment',
      schema: deploymentSchema,
      title,
      read: (id, reading) => client.deployments.get(id, reading),
      hasEnded: ({ status }) => status.finishedAt !== null,
      isGood: ({ status }) => status.phase === 'succeeded',
      summary: (one) => `${title}: ${steps(one)}`,
      draw: (one) => terminal.tone(phaseTone(one.status.phase), steps(one)),
      changes: (before, next) => (steps(before) === steps(next) ? [] : [`${title}: ${steps(next)}`]),
    },
    { terminal, clock, signal },
  )
  const { phase, failure } = ended.status
  if (phase === 'succeeded') return ended
  const cause = failure === null ? '' : `\n${failureText(terminal, failure)}`
  throw new CommandError(
    `${title} has ${phase === 'failed' ? 'failed' : `been ${phase}`}${cause}`,
    exitCodes.failure,
  )
}

function progress({ status }: WebApp): string {
  return status.waitsFor === null ? status.phase : `${status.phase}: waits for ${status.waitsFor}`
}

function steps({ status: { phase, step, waitsFor } }: Deployment): string {
  if (step !== null) return `${phase}: ${step}`
  return waitsFor === null ? phase : `${phase}: waits for ${waitsFor}`
}
