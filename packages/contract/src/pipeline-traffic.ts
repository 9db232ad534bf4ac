/** Where the program of a pipeline answers, on the loopback of its own machine. */
export const pipelinePort = 8080
