import { invalidValue } from '@hearth/foundation'

/** Labels of a machine that keep what Hearth has no field for. */
export const environmentLabels = {
  name: 'ona/name',
  archivedAt: 'ona/archived-at',
  contextUrl: 'ona/context-url',
  session: 'ona/session',
} as const
const annotation = 'ona/annotation/'

/** What is given of a new machine, as labels. */
export function labelsOf(given: {
  name?: string | undefined
  contextUrl?: string | undefined
  sessionId: string
  annotations: Readonly<Record<string, string>>
}): Record<string, string> {
  const { name, contextUrl, sessionId, annotations } = given
  for (const [key, value] of Object.entries(annotations)) {
    if (
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,46}[A-Za-z0-9]?$/.test(key) &&
      /[A-Za-z0-9]$/.test(key) &&
      value.length <= 255
    )
      continue
    throw invalidValue({
      field: 'annotations',
      given: 'one that cannot be kept',
      expected:
        'keys of at most 48 letters, digits and inner dots, slashes, hyphens and underscores, with values of at most 255 characters',
    })
  }
  const labels = {
    [environmentLabels.name]: name,
    [environmentLabels.contextUrl]:
      contextUrl !== undefined && contextUrl.length <= 255 ? contextUrl : undefined,
    [environmentLabels.session]: sessionId,
    ...Object.fromEntries(Object.entries(annotations).map(([key, value]) => [annotation + key, value])),
  }
  return Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (value ? [[key, value]] : [])))
}

/** The annotations among labels. */
export function annotationsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(labels).filter(([key]) => key.startsWith(annotation))
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(annotation.length), value]))
}
