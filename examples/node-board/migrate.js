// Brings the table of notes up to date. The package pg is Debian's, which the image debian-12-web has.
const { Client } = require('pg')

async function main() {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)')
  await client.end()
  console.log('the table of notes is there')
}

main()
