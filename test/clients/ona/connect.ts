import type { DescService } from '@bufbuild/protobuf'
import { type Client, createClient, type Interceptor } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'

export const formats = ['binary', 'JSON'] as const
export type Format = (typeof formats)[number]

/** The client that Connect-ES makes of a service, as the newer generation of Ona's SDK uses it. */
export function connectTo<Service extends DescService>(
  service: Service,
  { baseUrl, token, format = 'binary' }: { baseUrl: string; token: string; format?: Format },
): Client<Service> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('Authorization', `Bearer ${token}`)
    return next(request)
  }
  const useBinaryFormat = format === 'binary'
  return createClient(
    service,
    createConnectTransport({ baseUrl, useBinaryFormat, interceptors: [authorize] }),
  )
}
