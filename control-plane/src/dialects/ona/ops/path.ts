/** Where the methods of one environment are, below the dialect's own address. */
export const opsPath = (environmentId: string) => `/ops/${environmentId}`
