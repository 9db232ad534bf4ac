import { newId } from '@hearth/foundation'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make pipelines and ask something of them. */
export function pipelinePosts(
  make: (path: string, body: unknown) => Promise<string>,
): { name: string; prepare(): Promise<Prepared> }[] {
  const body = () => ({ name: `p_${newId().slice(-8)}`, spec: { program: { code: 'SELECT 1' } } })
  const made = async () => `/v1/pipelines/${await make('/v1/pipelines', body())}`
  const action = (name: string) => ({
    name: `pipelines/{id}/${name}`,
    prepare: async () => ({
      path: `${await made()}/${name}`,
      otherPath: `${await made()}/${name}`,
      body: undefined,
      other: undefined,
    }),
  })
  return [
    { name: 'pipelines', prepare: async () => ({ path: '/v1/pipelines', body: body(), other: body() }) },
    action('clear'),
    action('dismiss-error'),
  ]
}
