import { newId } from '@hearth/foundation'

type Prepared = { path: string; body: unknown; other: unknown }

/** The POSTs of sessions; `make` sends one and returns the id in its answer. */
export function sessionPosts(
  make: (path: string, body: unknown) => Promise<string>,
): { name: string; prepare(): Promise<Prepared> }[] {
  const body = () => ({
    name: `s-${newId()}`.slice(0, 40),
    spec: { file: 'hearth.yaml', exitCondition: 'ci' },
    leaseSeconds: 3_600,
  })
  const below = (what: string, first: unknown, other: unknown) => ({
    name: `sessions/{id}/${what}`,
    prepare: async () => ({
      path: `/v1/sessions/${await make('/v1/sessions', body())}/${what}`,
      body: first,
      other,
    }),
  })
  const report = (kind: string) => ({ targets: [{ name: 'claim:update', state: { kind } }] })
  return [
    { name: 'sessions', prepare: async () => ({ path: '/v1/sessions', body: body(), other: body() }) },
    below('renewals', { leaseSeconds: 600 }, { leaseSeconds: 700 }),
    below('targets', report('waiting'), report('active')),
  ]
}
