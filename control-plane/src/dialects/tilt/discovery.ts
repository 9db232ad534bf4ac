import { group, groupVersion, plural, version } from './names.ts'

/** There is no core group here. */
export const apiVersions = {
  kind: 'APIVersions',
  versions: [],
  serverAddressByClientCIDRs: [],
}

const versions = { groupVersion, version }
const apiGroup = { name: group, versions: [versions], preferredVersion: versions }

export const apiGroupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [apiGroup] }
export const singleApiGroup = { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup }

const sessions = { singularName: 'session', namespaced: false, kind: 'Session' }
/** Sessions are read here; they are made and changed by what they are about. */
export const apiResourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [
    { name: plural, ...sessions, verbs: ['get', 'list', 'watch'] },
    { name: `${plural}/status`, ...sessions, singularName: '', verbs: ['get'] },
  ],
}

/** The version of Kubernetes whose interface this is like, for clients that compare. */
export const serverVersion = {
  major: '1',
  minor: '20',
  gitVersion: 'v1.20.0+hearth',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
}
