import { resourceQueries } from '../../resource/queries.ts'

export const webApps = resourceQueries('web_apps', { noun: 'web app', names: 'unique' })
