import { compose, createLogger, readConfig, runAgent } from '@hearth/runner-agent'
import { markersIn } from './marker-handler.ts'

/** The agent's program with an additional kind of work, which the shipped agent does not have. */
const { MARKER_FOLDER: folder = '', MARKER_LINE_MILLISECONDS: lineMilliseconds } = process.env
const config = readConfig(process.env)
const parts = await compose(config, createLogger(config))
const markers = markersIn({ folder, lineMilliseconds: Number(lineMilliseconds) })
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM came')))
const timings = { ...parts.timings, synchronisation: 500, synchronisationSpread: 50 }
await runAgent({ ...parts, timings, work: [...parts.work, markers] }, stop.signal)
process.exit(0)
