// Makes the keys of a NATS server for Hearth, once: node --import tsx scripts/nats-operator.mjs FOLDER
// Writes operator.json (keep it safe and away from the server), what the control plane is given, and what the
// server's configuration includes. Refuses to replace keys, since credentials given out hang on them.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateNatsOperator } from '../packages/messaging/src/index.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node --import tsx scripts/nats-operator.mjs FOLDER')
  process.exit(2)
}
if (existsSync(join(folder, 'operator.json'))) {
  console.error(`${folder} holds an operator already; it is left as it is`)
  process.exit(1)
}
const operator = await generateNatsOperator()
await mkdir(folder, { recursive: true, mode: 0o700 })
const secret = { mode: 0o600 }
await writeFile(join(folder, 'operator.json'), `${JSON.stringify(operator, null, 2)}\n`, secret)
await writeFile(join(folder, 'control-plane.creds'), operator.controlPlaneCredentials, secret)
await writeFile(join(folder, 'account.seed'), `${operator.runnerAccountSeed}\n`, secret)
const accounts = [
  [operator.systemAccountPublicKey, operator.systemAccountJwt],
  [operator.accountPublicKey, operator.accountJwt],
  [operator.runnerAccountPublicKey, operator.runnerAccountJwt],
]
const configuration = [
  `operator: ${operator.operatorJwt}`,
  `system_account: ${operator.systemAccountPublicKey}`,
  'resolver: MEMORY',
  'resolver_preload: {',
  ...accounts.map(([key, jwt]) => `  ${key}: ${jwt}`),
  '}',
]
await writeFile(join(folder, 'accounts.conf'), `${configuration.join('\n')}\n`, { mode: 0o644 })
console.log(`${folder}: operator.json, control-plane.creds, account.seed, accounts.conf`)
