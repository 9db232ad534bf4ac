import { resourceQueries } from '../../resource/queries.ts'

export const spaces = resourceQueries('spaces', { noun: 'space', names: 'unique' })
