// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are nginx's
import type { SpacePlace } from './place.ts'
import { assertPath, assertPlain } from './release.ts'

/** nginx's configuration of a space. */
export const siteFile = (space: SpacePlace): string => `/etc/nginx/conf.d/hearth-app-${space.type}.conf`

/** What all spaces share. */
export const sharedSiteFile = '/etc/nginx/conf.d/hearth-app.conf'
export const sharedSite = `map $http_upgrade $hearth_connection {
  default upgrade;
  '' '';
}`

/** The site of a space in which nothing is deployed. */
export const emptySite = (space: SpacePlace): string =>
  serverOf(space, [
    'location / {',
    ...page(503, 'Nothing is deployed here yet', `The space ${space.type} of this app has no release.`),
    '}',
  ])

/** One process of a release, whose instances share the requests below a path. */
export interface ServedPath {
  process: string
  path: string
  /** Lines that name its instances. */
  servers: string
}

/**
 * The site of a space that leads requests to its release. What is answered and what is sent goes through as it comes, in
 * both directions, and so do the headers by which the host's proxy says who asked.
 */
export function releaseSite(space: SpacePlace, served: readonly ServedPath[]): string {
  const upstreams = served.map(({ process, servers }) => {
    if (!/^[a-z0-9-]+$/.test(process)) throw new Error(`"${process}" is no name of a process`)
    return `upstream hearth-app-${space.type}-${process} {\n${servers}}\n`
  })
  return (
    upstreams.join('') +
    serverOf(space, [
      'client_max_body_size 512m;',
      'proxy_http_version 1.1;',
      'proxy_set_header Host $http_host;',
      'proxy_set_header Upgrade $http_upgrade;',
      'proxy_set_header Connection $hearth_connection;',
      'proxy_buffering off;',
      'proxy_request_buffering off;',
      'proxy_connect_timeout 5s;',
      'proxy_read_timeout 1h;',
      'proxy_send_timeout 1h;',
      'error_page 502 504 =503 @unavailable;',
      'location @unavailable {',
      ...page(
        503,
        'Not there at the moment',
        `The release in ${space.type} does not answer. Try again soon.`,
      ),
      '}',
      ...served.flatMap(({ process, path }) => leading(`http://hearth-app-${space.type}-${process}`, path)),
      ...(served.some(({ path }) => path === '/')
        ? []
        : [
            'location / {',
            ...page(404, 'Not found', `No process of the release in ${space.type} serves this path.`),
            '}',
          ]),
    ])
  )
}

/** The path itself and what is below it; of several the longest is the one. */
function leading(upstream: string, path: string): string[] {
  assertPath(path)
  const below = path.endsWith('/') ? path : `${path}/`
  const exact = path.endsWith('/') ? [] : [`location = "${path}" { proxy_pass ${upstream}; }`]
  return [...exact, `location "${below}" { proxy_pass ${upstream}; }`]
}

function serverOf(space: SpacePlace, lines: readonly string[]): string {
  assertPlain(space)
  return [
    'server {',
    `  listen ${space.port} default_server;`,
    '  server_name _;',
    '  access_log off;',
    ...lines.map((line) => `  ${line}`),
    '}',
  ].join('\n')
}

const page = (status: 404 | 503, title: string, text: string): string[] => [
  '  default_type text/html;',
  ...(status === 503 ? ['  add_header Retry-After 5 always;'] : []),
  `  return ${status} '<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${text}</p>';`,
]
