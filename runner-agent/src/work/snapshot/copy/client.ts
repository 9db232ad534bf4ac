import { Agent, request as httpsRequest } from 'node:https'
import { type LayerGrant, layerDigestSchema, reportedLayerSchema, startOfText } from '@hearth/contract'
import { z } from 'zod'
import { HostError } from '../../../host/host-error.ts'
import type { LayerManifest } from '../../../host/layer.ts'
import { mostPieceBytes, preSharedKeyTls } from './pre-shared-key.ts'
import { withoutMemory } from './without-memory.ts'

const mostManifestBytes = 64 * 1024
const answerMilliseconds = 30_000
const text = z.string().max(4_096)

/** What another runner's agent says of its layer. */
const manifestSchema: z.ZodType<LayerManifest, unknown> = z.object({
  layerId: z.uuid(),
  facts: reportedLayerSchema,
  origin: z.object({
    identity: z.object({
      machineId: z.string().regex(/^[0-9a-f]{32}$/),
      hostname: text,
      randomSeedDigest: layerDigestSchema,
    }),
    hostKey: z.string().max(16_384),
    user: text,
  }),
  machine: z.object({
    image: text,
    imageFingerprint: text,
    virtualCpus: z.int().min(1),
    memoryMebibytes: z.int().min(1),
    virtualBytes: z.int().min(1),
    emulation: text.nullable(),
  }),
})

/** The other runner's agent did not answer, or broke off: the copy goes on from what is there. */
export class LayerUnreachable extends Error {
  override readonly name = 'LayerUnreachable'
}

/**
 * Reads one layer of another runner's agent. A refusal is a HostError, a lost connection LayerUnreachable; both name the
 * other agent's address.
 */
export class LayerClient implements Disposable {
  private readonly agent: Agent
  private readonly at: string

  constructor(
    { id, host, port }: Pick<LayerGrant, 'id' | 'host' | 'port'>,
    key: Buffer,
    private readonly signal: AbortSignal,
  ) {
    this.at = `${host}:${port}`
    this.agent = new Agent({
      ...preSharedKeyTls,
      host,
      port,
      keepAlive: true,
      maxSockets: 1,
      pskCallback: () => ({ psk: key, identity: id }),
      // The key proves the other side.
      checkServerIdentity: () => undefined,
    })
  }

  async manifest(): Promise<LayerManifest> {
    const body = await this.get('/layer', {}, 200, mostManifestBytes)
    try {
      return withoutMemory(manifestSchema.parse(JSON.parse(body.toString('utf8'))))
    } catch {
      throw new HostError('host_refused', `${this.at} describes its layer in a way that is not known`)
    }
  }

  /** Part of the layer's disk. */
  async piece(offset: number, bytesLeft: number): Promise<Buffer> {
    const length = Math.min(mostPieceBytes, bytesLeft)
    const headers = { Range: `bytes=${offset}-${offset + length - 1}` }
    const body = await this.get('/disk', headers, 206, length)
    if (body.length === 0) throw new HostError('host_refused', `${this.at} sends nothing of its layer's disk`)
    return body
  }

  [Symbol.dispose](): void {
    this.agent.destroy()
  }

  private get(
    path: string,
    headers: Record<string, string>,
    status: number,
    mostBytes: number,
  ): Promise<Buffer> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(answerMilliseconds)])
    return new Promise<Buffer>((resolve, reject) => {
      const at = `the layer cannot be read from ${this.at}`
      const refused = (reason: string) => reject(new HostError('host_refused', `${at}: ${reason}`))
      const lost = (error: Error) => reject(new LayerUnreachable(`${at}: ${error.message}`))
      const request = httpsRequest({ agent: this.agent, path, headers, signal }, (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          chunks.push(chunk)
          if (bytes <= mostBytes) return
          refused(`it sends more than ${mostBytes} bytes`)
          request.destroy()
        })
        response.on('end', () => {
          const body = Buffer.concat(chunks)
          if (response.statusCode === status) resolve(body)
          else {
            const said = `${response.statusCode} ${startOfText(body.toString('utf8'), 200)}`
            if (response.statusCode === 500) lost(new Error(said))
            else refused(said)
          }
        })
        response.on('error', lost)
      })
      request.on('error', lost)
      request.end()
    })
  }
}
