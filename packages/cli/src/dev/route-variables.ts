import { freePort } from '../process/port.ts'

/** Below it browsers lead every name to their own machine. */
const domain = 'hearth.localhost'
/** Between the port of the control plane and those of the proxies: HTTPS, and plain HTTP. */
const offsets = { secure: 373, plain: 374 }

/** How one of several agents serves routes, unless the user says otherwise. */
export async function routeVariables(
  { port, variables }: { port: number; variables: Readonly<Record<string, string | undefined>> },
  index: number,
): Promise<Record<string, string>> {
  const stops = { HEARTH_INGRESS_STOPS: 'true' }
  if (variables.HEARTH_INGRESS_DOMAIN !== undefined) return stops
  const wished = (offset: number) => Math.min(port + offset + 2 * index, 65_535)
  return {
    ...stops,
    HEARTH_INGRESS_DOMAIN: domain,
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort(wished(offsets.secure))}`,
    HEARTH_INGRESS_HTTP_LISTEN: `127.0.0.1:${await freePort(wished(offsets.plain))}`,
  }
}
