/** Where the program of a pipeline answers, on the loopback of its own machine. */
export const pipelinePort = 8080

/** Of what goes into the program of a pipeline and comes out of it. */
export const pipelineTrafficLimits = {
  /** Of a query, and of the name of a table or view. */
  sqlCharacters: 16_384,
  nameCharacters: 256,
  answerBytes: 1024 * 1024 * 1024,
  answerSeconds: 300,
  /** Of who listens to what changes: to go on, they listen again. */
  listenBytes: 64 * 1024 * 1024 * 1024,
  listenSeconds: 86_400,
} as const
