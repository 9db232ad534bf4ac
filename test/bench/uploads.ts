import { archiveMebibytes, largeArchive } from './large-archive.ts'
import { type Service, startService } from './service.ts'
import { plain, type Row } from './table.ts'
import { watchMemory } from './watched-memory.ts'

const atOnce = 8
const rounds = 3
const mostMebibytes = 150
const configuration = '[processes.web]\ncommand = "sleep infinity"\n'

/** What the resident memory of a control plane that has done nothing yet rises by while it takes in several large ZIPs at once. */
export async function benchUploads(): Promise<Row[]> {
  await using service = await startService()
  const archives: Buffer<ArrayBuffer>[] = []
  for (let index = 0; index < atOnce; index += 1) archives.push(await largeArchive(configuration))
  const memory = watchMemory(service.controlPlane)
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    await Promise.all(archives.map((archive, index) => upload(service, archive, index % 2 === 0)))
    fastest = Math.min(fastest, (performance.now() - began) / 1_000)
  }
  return [
    {
      measure: `memory, ${atOnce} uploads of ${archiveMebibytes} MiB at once`,
      hearth: memory.stop(),
      floor: null,
      unit: 'MiB',
      most: mostMebibytes,
    },
    plain(`${atOnce} uploads of ${archiveMebibytes} MiB at once`, fastest, 's'),
  ]
}

async function upload({ url, token }: Service, archive: Buffer<ArrayBuffer>, asForm: boolean): Promise<void> {
  const form = new FormData()
  form.set('file', new Blob([archive], { type: 'application/zip' }), 'app.zip')
  const response = await fetch(`${url}/v1/artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...(asForm ? {} : { 'content-type': 'application/zip' }) },
    body: asForm ? form : archive,
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${text}`)
}
