import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Env } from './kernel.ts'

const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const
const types: Readonly<Record<string, string>> = {
  css: 'text/css',
  js: 'text/javascript',
  png: 'image/png',
}

const START = `
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  persistAuthorization: true,
  tryItOutEnabled: true,
})`

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Daybook API</title>
  <link rel="icon" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="docs"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
`

const POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"

/** OpenAPI documents as they are sent: of everything, and of each contract by its name. */
export type Documents = {
  readonly everything: string
  readonly contracts: Readonly<Record<string, string>>
}

/** The documentation page, all of it from this machine: no other host is asked for anything. */
export const serveDocs = (app: OpenAPIHono<Env>, { everything, contracts }: Documents): void => {
  const json = { 'Content-Type': 'application/json' }
  const directory = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  app.get('/openapi.json', () => new Response(everything, { headers: json }))
  for (const [name, text] of Object.entries(contracts)) {
    app.get(`/openapi/${name}.json`, () => new Response(text, { headers: json }))
  }
  app.get('/docs', (c) => c.html(PAGE, 200, { 'Content-Security-Policy': POLICY }))
  app.get('/docs/start.js', (c) => c.body(START, 200, { 'Content-Type': 'text/javascript' }))
  for (const name of assets) {
    const content = readFileSync(join(directory, name))
    const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    const headers = { 'Content-Type': type, 'Cache-Control': 'public, max-age=86400' }
    app.get(`/docs/${name}`, () => new Response(content, { headers }))
  }
}
