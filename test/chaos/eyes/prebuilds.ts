import type { Explanation } from '@hearth/contract'
import type { Records } from '../check/history.ts'
import type { Api } from '../users/api.ts'

const ended = ['completed', 'failed', 'cancelled', 'deleted']

/** The same records with what Hearth answers to why prebuilds are as they are, of those that have not ended. */
export async function withReasons(api: Api, records: Records): Promise<Records> {
  const prebuilds = await Promise.all(
    records.prebuilds.map(async (prebuild) => {
      if (ended.includes(prebuild.phase)) return prebuild
      const { status, text } = await api.ask('GET', `/v1/prebuilds/${prebuild.id}/why`)
      const why = status === 200 ? (JSON.parse(text) as Explanation).sentence : null
      return { ...prebuild, why }
    }),
  )
  return { ...records, prebuilds }
}

/** Where the secret is in what is read of prebuilds: the resource, its reasons and its log. */
export async function searchPrebuilds(api: Api, { prebuilds }: Records, secret: string): Promise<string[]> {
  const found: string[] = []
  for (const { id } of prebuilds)
    for (const path of [`/v1/prebuilds/${id}`, `/v1/prebuilds/${id}/why`, `/v1/prebuilds/${id}/logs`])
      if ((await api.ask('GET', path)).text.includes(secret)) found.push(path)
  return found
}
