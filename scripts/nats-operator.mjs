// Makes the keys of a NATS server for Hearth, once: node --import tsx scripts/nats-operator.mjs FOLDER
// Writes operator.json (keep it safe and away from the server), what the control plane is given, and what the
// server's configuration includes. Keys that are there stay, since credentials given out hang on them: what a newer
// version needs beside them is added.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { completeNatsOperator, generateNatsOperator } from '../packages/messaging/src/index.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node --import tsx scripts/nats-operator.mjs FOLDER')
  process.exit(2)
}
const file = join(folder, 'operator.json')
const known = existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined
const operator = known === undefined ? await generateNatsOperator() : await completeNatsOperator(known)
if (operator === known) {
  console.error(`${folder} holds an operator with all it needs; it is left as it is`)
  process.exit(1)
}
await mkdir(folder, { recursive: true, mode: 0o700 })
const secret = { mode: 0o600 }
await writeFile(file, `${JSON.stringify(operator, null, 2)}\n`, secret)
await writeFile(join(folder, 'control-plane.creds'), operator.controlPlaneCredentials, secret)
await writeFile(join(folder, 'account.seed'), `${operator.runnerAccountSeed}\n`, secret)
await writeFile(join(folder, 'observer.seed'), `${operator.observerAccountSeed}\n`, secret)
await writeFile(join(folder, 'operator-signing.seed'), `${operator.signingSeed}\n`, secret)
await writeFile(join(folder, 'system.creds'), operator.systemCredentials, secret)
const accounts = [
  [operator.systemAccountPublicKey, operator.systemAccountJwt],
  [operator.accountPublicKey, operator.accountJwt],
  [operator.runnerAccountPublicKey, operator.runnerAccountJwt],
  [operator.observerAccountPublicKey, operator.observerAccountJwt],
]
const configuration = [
  `operator: ${operator.operatorJwt}`,
  `system_account: ${operator.systemAccountPublicKey}`,
  'resolver { type: full, dir: "/var/lib/nats/accounts", allow_delete: false }',
  'resolver_preload: {',
  ...accounts.map(([key, jwt]) => `  ${key}: ${jwt}`),
  '}',
]
await writeFile(join(folder, 'accounts.conf'), `${configuration.join('\n')}\n`, { mode: 0o644 })
console.log(
  `${folder}: operator.json, control-plane.creds, account.seed, observer.seed, operator-signing.seed, system.creds, accounts.conf`,
)
