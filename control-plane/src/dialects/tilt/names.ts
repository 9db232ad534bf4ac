/** The words under which Tilt's sessions are found in a Kubernetes interface. */
export const group = 'tilt.dev'
export const version = 'v1alpha1'
export const groupVersion = `${group}/${version}`
export const plural = 'sessions'
/** As in error messages: `sessions.tilt.dev`. */
export const resource = `${plural}.${group}`

export const paths = {
  group: `/apis/${group}`,
  version: `/apis/${groupVersion}`,
  list: `/apis/${groupVersion}/${plural}`,
} as const
