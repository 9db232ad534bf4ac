import { notAcceptable } from './status.ts'

/** How an answer is written: as the objects themselves, or as the table that kubectl prints. */
export type Format = { as: 'objects' } | { as: 'table'; apiVersion: string }

const tableVersions = ['v1', 'v1beta1']

/** The first of the accepted formats that is known here; refuses a client that accepts none of them. */
export function formatFor(accept: string | undefined): Format {
  if (accept === undefined || accept.trim() === '') return { as: 'objects' }
  for (const one of accept.split(',')) {
    const [type = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue
    const given = new Map(
      parameters.map((parameter) => parameter.split('=', 2) as [string, string | undefined]),
    )
    const as = given.get('as')
    if (as === undefined) return { as: 'objects' }
    const version = given.get('v') ?? ''
    if (as === 'table' && given.get('g') === 'meta.k8s.io' && tableVersions.includes(version))
      return { as: 'table', apiVersion: `meta.k8s.io/${version}` }
  }
  throw notAcceptable()
}
