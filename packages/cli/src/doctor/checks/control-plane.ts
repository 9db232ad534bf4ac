import { addressesOf, HearthClient } from '@hearth/client'
import { HearthError, toError } from '@hearth/foundation'
import { z } from 'zod'
import type { Check, Finding } from '../finding.ts'

const check = 'control plane'

export interface ControlPlaneFacts {
  url: string
  /** The control plane's health by part; null when it does not answer. */
  parts: Readonly<Record<string, string>> | null
  /** Null when the token is valid, otherwise the reason why not. */
  refusal: string | null
}

export const controlPlaneCheck: Check = {
  name: check,
  async examine({ context, runsHere }) {
    if (context === null) return [noContext]
    const judged = addressesOf(context.url).map(async (url) => {
      const parts = await readiness(url)
      const refusal = parts === null ? null : await tryToken({ url, token: context.token })
      return judgeControlPlane({ url, parts, refusal }, runsHere)
    })
    return (await Promise.all(judged)).flat()
  },
}

const noContext: Finding = {
  check,
  level: 'warning',
  message: 'no control plane is known here',
  remedy: '`hearth dev` starts one; `hearth help context` tells how to name another',
}

export function judgeControlPlane({ url, parts, refusal }: ControlPlaneFacts, runsHere: boolean): Finding[] {
  if (parts === null) {
    return [
      {
        check,
        level: runsHere ? 'problem' : 'warning',
        message: `${url} does not answer`,
        remedy: runsHere
          ? 'look at logs/control-plane.log in the state folder'
          : '`hearth dev` starts one here',
      },
    ]
  }
  const lacking = Object.entries(parts).filter(([, state]) => state !== 'ready')
  const findings: Finding[] = lacking.map(([part, state]) => ({
    check,
    level: 'problem',
    message: `${url} is not ready: ${part === 'messaging' ? 'NATS' : part}: ${state}`,
    remedy: part === 'messaging' ? 'look at the log of nats-server' : `look at the log of the ${part}`,
  }))
  if (refusal !== null) {
    findings.push({
      check,
      level: 'problem',
      message: `${url}: ${refusal}`,
      remedy: 'see `hearth help context`',
    })
  }
  return findings.length > 0
    ? findings
    : [{ check, level: 'ok', message: `${url} and its NATS answer, the token is good` }]
}

const readinessSchema = z.object({ checks: z.record(z.string(), z.string()) })

async function readiness(url: string): Promise<Record<string, string> | null> {
  try {
    const answer = await fetch(`${url}/healthz/ready`, { signal: AbortSignal.timeout(5_000) })
    return readinessSchema.parse(await answer.json()).checks
  } catch {
    return null
  }
}

async function tryToken(context: { url: string; token: string | undefined }): Promise<string | null> {
  try {
    await new HearthClient({ ...context, retries: 0, timeoutMilliseconds: 5_000 }).whoami()
    return null
  } catch (error) {
    return error instanceof HearthError ? error.message : toError(error).message
  }
}
