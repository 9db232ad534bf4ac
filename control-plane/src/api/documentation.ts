import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Application } from './application.ts'

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
}

/** An OpenAPI document, and below `/docs` the page to read and try it. */
export interface DocumentationPage {
  /** Empty for the native interface, else the dialect's name. */
  name: string
  title: string
  document: string
}

/** `/openapi.json`, and a page for it and each of the others; all is served from here, so it works without internet. */
export function addDocumentation(
  application: Application,
  version: string,
  others: readonly DocumentationPage[],
): void {
  application.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
  })
  application.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Hearth',
      version,
      description: 'Self-hosted warm VMs: desired state in, ready machines out.',
    },
    tags: [],
  })
  const pages = [{ name: '', title: 'Hearth API', document: '/openapi.json' }, ...others]
  for (const page of pages) addPage(application, page)
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  for (const [name, type] of Object.entries(assets)) {
    application.get(`/docs/${name}`, async (context) =>
      context.body(new Uint8Array(await readFile(join(folder, name))), 200, { 'Content-Type': type }),
    )
  }
}

function addPage(application: Application, { name, title, document }: DocumentationPage): void {
  const path = name === '' ? '/docs' : `/docs/${name}`
  const script = `SwaggerUIBundle({ url: ${JSON.stringify(document)}, dom_id: '#api', persistAuthorization: true })`
  application.get(path, (context) => context.html(pageHtml(title, `${path}/start.js`)))
  application.get(`${path}/start.js`, (context) =>
    context.body(script, 200, { 'Content-Type': 'text/javascript' }),
  )
}

const pageHtml = (title: string, script: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>${title}</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="${script}"></script>
  </body>
</html>`
