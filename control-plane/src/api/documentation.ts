import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Application } from './application.ts'

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
}

const pageHtml = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Hearth API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>`

/** `/openapi.json` and a page to read and try it; everything is served from here, so it works without internet. */
export function addDocumentation(application: Application, version: string): void {
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
  application.get('/docs', (context) => context.html(pageHtml))
  application.get('/docs/start.js', (context) =>
    context.body(
      "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', persistAuthorization: true })",
      200,
      {
        'Content-Type': 'text/javascript',
      },
    ),
  )
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  for (const [name, type] of Object.entries(assets)) {
    application.get(`/docs/${name}`, async (context) =>
      context.body(new Uint8Array(await readFile(join(folder, name))), 200, { 'Content-Type': type }),
    )
  }
}
