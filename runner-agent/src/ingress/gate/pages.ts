import type { ServedRoute } from '../served-route.ts'

export interface Page {
  status: number
  title: string
  lines: string[]
  /** After how many seconds it is worth another try; a browser does so by itself. */
  retrySeconds: number | null
}

const labelOf = ({ host }: Pick<ServedRoute, 'host'>) => host.split('.')[0] ?? host

export const noRoute: Page = {
  status: 404,
  title: 'No such route',
  lines: ['No route has this host name on this host.'],
  retrySeconds: null,
}

export function notLetIn(route: ServedRoute, status: number, because: string): Page {
  const command = `hearth open ${labelOf(route)}`
  const page = { status, retrySeconds: null }
  switch (because) {
    case 'private':
      return {
        ...page,
        title: 'For members only',
        lines: ['This route is for members of its organization. To let this browser in, run:', command],
      }
    case 'token':
      return {
        ...page,
        title: 'A token is needed',
        lines: [
          'This route is for whoever has its token: send it as the header Authorization: Bearer.',
          `Members of its organization can also run: ${command}`,
        ],
      }
    case 'ticket':
      return {
        ...page,
        title: 'This address does not let in any more',
        lines: ['It serves once, and not for long. For another one, run:', command],
      }
    default:
      return { ...page, title: 'Refused', lines: [because] }
  }
}

export function waking({ machine }: ServedRoute, what: 'starts' | 'settles'): Page {
  const lines =
    what === 'starts'
      ? [`The machine ${machine} was asleep. It is being started; this page tries again by itself.`]
      : [
          `The machine ${machine} has just been started, and does not answer yet. This page tries again by itself.`,
        ]
  return { status: 503, title: 'Waking up', lines, retrySeconds: 2 }
}

export function notWoken({ machine }: ServedRoute, because: string): Page {
  return {
    status: 503,
    title: 'The machine does not start',
    lines: [
      `The machine ${machine} is off and was not started: ${because}.`,
      `hearth why environment ${machine} says more.`,
    ],
    retrySeconds: 15,
  }
}

export function gone({ machine }: ServedRoute, because: string): Page {
  return {
    status: 503,
    title: 'The machine cannot be reached',
    lines: [`The machine ${machine} ${because}.`, `hearth why environment ${machine} says more.`],
    retrySeconds: null,
  }
}

export function nobodyListens({ machine, port }: ServedRoute): Page {
  return {
    status: 502,
    title: 'Nothing answers',
    lines: [
      `Nothing answers on port ${port} of the machine ${machine}.`,
      'Is the server there started, and does it listen on all addresses (0.0.0.0) and not on 127.0.0.1 alone?',
    ],
    retrySeconds: null,
  }
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)

/** A page for a browser, without anything from elsewhere. */
export function asHtml({ title, lines, retrySeconds }: Page, reloads: boolean): string {
  const refresh =
    reloads && retrySeconds !== null ? `<meta http-equiv="refresh" content="${retrySeconds}">` : ''
  const body = lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8">${refresh}<title>${escaped(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>${escaped(title)}</h1>
${body}
</body></html>
`
}

export const asText = ({ title, lines }: Page): string => `${[title, ...lines].join('\n')}\n`
