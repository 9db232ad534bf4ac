// A board with one page: notes are rows of PostgreSQL, visits are counted in Redis.
const http = require('node:http')
const { Pool } = require('pg')
const { createClient } = require('redis')

const { PORT, DATABASE_URL, REDIS_URL, SPACE } = process.env
const version = '1'
const pool = new Pool({ connectionString: DATABASE_URL, max: 4 })
const cache = createClient({ socket: { path: REDIS_URL.replace('unix://', '') } })

const asText = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

async function page() {
  const { rows } = await pool.query('SELECT text FROM notes ORDER BY id')
  const visits = await cache.incr('visits')
  return `<!doctype html><meta charset="utf-8"><title>The board</title>
<h1>The board, version ${version}, in ${asText(SPACE)}</h1><p id="visits">Visit ${visits}</p>
<form method="post"><input name="text" required maxlength="100"> <button>Pin</button></form>
<ul>${rows.map(({ text }) => `<li>${asText(text)}</li>`).join('')}</ul>`
}

async function formOf(request) {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > 10_000) throw new Error('the form is too large')
  }
  return new URLSearchParams(body)
}

async function answer(request, response) {
  if (request.url === '/version') return response.end(version)
  if (request.url === '/health') {
    await Promise.all([pool.query('SELECT 1'), cache.ping()])
    return response.end('ok')
  }
  if (request.method === 'POST') {
    await pool.query('INSERT INTO notes (text) VALUES ($1)', [(await formOf(request)).get('text') ?? ''])
    return response.writeHead(303, { location: '/' }).end()
  }
  if (request.url !== '/') return response.writeHead(404).end('there is no such page')
  response.setHeader('content-type', 'text/html')
  response.end(await page())
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error)
    response.writeHead(500).end('something went wrong')
  })
})

cache.connect().then(() => server.listen(Number(PORT), 'localhost'))
// What is being answered is answered to its end.
process.on('SIGTERM', () => server.close(() => process.exit(0)))
