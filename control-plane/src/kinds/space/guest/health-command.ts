// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { findNetwork } from './network.ts'
import { prelude } from './prelude.ts'
import { networkOf } from './process-command.ts'
import { quote } from './quote.ts'
import { assertPath, type HttpInstance, type Release } from './release.ts'

/**
 * Succeeds when an instance answers the path with 2xx or 3xx, or, without a path, when it listens. It is run again and again,
 * and so starts no program.
 */
export function healthCommand(release: Release, process: HttpInstance & { path: string | null }): string {
  const { port, path } = process
  return `${prelude}${findNetwork}
find_network ${quote(networkOf(release, process))}
exec {answer}<>"/dev/tcp/$inside/${port}"
${path === null ? '' : answers(path, port)}`
}

const answers = (path: string, port: number): string => {
  assertPath(path)
  return `printf 'GET %s HTTP/1.1\\r\\nHost: localhost:${port}\\r\\nUser-Agent: hearth\\r\\nConnection: close\\r\\n\\r\\n' ${quote(path)} >&"$answer"
IFS= read -r -t 25 -n 64 line <&"$answer"
[[ $line =~ ^HTTP/[0-9.]+\\ [23][0-9][0-9] ]]
`
}
