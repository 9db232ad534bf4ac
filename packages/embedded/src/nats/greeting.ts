import { connect } from 'node:net'

/** Throws unless a NATS server with JetStream greets on the port: it sends one line, INFO and JSON, unasked. */
export function checkGreeting(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 5_000 })
    let text = ''
    const end = (problem?: Error) => {
      socket.destroy()
      if (problem === undefined) resolve()
      else reject(problem)
    }
    socket.setEncoding('utf8')
    socket.on('data', (data: string) => {
      text += data
      const lineEnd = text.indexOf('\r\n')
      if (lineEnd >= 0) end(judge(text.slice(0, lineEnd)))
    })
    socket.once('timeout', () => end(new Error(`nothing greets on port ${port}`)))
    socket.once('error', end)
    socket.once('close', () => end(new Error(`the connection to port ${port} was closed`)))
  })
}

function judge(line: string): Error | undefined {
  if (!line.startsWith('INFO ')) return new Error(`not a NATS server: ${line.slice(0, 80)}`)
  const info = JSON.parse(line.slice('INFO '.length)) as { jetstream?: boolean }
  return info.jetstream === true ? undefined : new Error('JetStream is not on yet')
}
