import { resourceQueries } from '../../resource/queries.ts'

export const deployments = resourceQueries('deployments', { noun: 'deployment', names: 'shared' })
