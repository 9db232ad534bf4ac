import { parseArgs } from 'node:util'
import { benchClaims } from './claim.ts'
import { benchCold } from './cold.ts'
import { benchFirstCommand } from './command.ts'
import { benchDeploy } from './deploy.ts'
import { benchFleet } from './fleet.ts'
import { benchImage } from './image.ts'
import { benchMask } from './mask.ts'
import { benchMemory } from './memory.ts'
import { benchOna } from './ona.ts'
import { benchPatch } from './patch.ts'
import { benchPipelines } from './pipelines.ts'
import { benchPools } from './pools.ts'
import { benchRoute } from './route.ts'
import { benchRun } from './run.ts'
import { benchSnapshot } from './snapshot.ts'
import { benchSteps } from './steps.ts'
import { benchSuspended } from './suspended.ts'
import { printTable, type Row } from './table.ts'
import { benchUploads } from './uploads.ts'

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { against: { type: 'string' } },
})
const sections: Readonly<Record<string, () => Promise<Row[]>>> = {
  claim: benchClaims,
  fleet: benchFleet,
  image: benchImage,
  cold: benchCold,
  command: benchFirstCommand,
  steps: benchSteps,
  snapshot: benchSnapshot,
  suspended: benchSuspended,
  run: benchRun,
  route: benchRoute,
  deploy: benchDeploy,
  uploads: benchUploads,
  pipelines: benchPipelines,
  patch: benchPatch,
  memory: benchMemory,
  ona: benchOna,
  mask: benchMask,
  pools: () => benchPools(values.against),
}

const unknown = wanted.filter((name) => sections[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(
    `no such section: ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}\n`,
  )
  process.exit(2)
}
const rows: Row[] = []
for (const [name, bench] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stderr.write(`${name} ...\n`)
  rows.push(...(await bench()))
}
printTable(rows)
if (
  rows.some(
    (row) => row.most !== null && (row.floor === null ? row.hearth : row.hearth / row.floor) > row.most,
  )
) {
  process.exitCode = 1
}
