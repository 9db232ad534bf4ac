/** From here on the normal distribution is as good, and the sum below would be of numbers too small to add. */
const largeMean = 400

/** The least number that is not exceeded with this probability where `mean` are expected, as arrivals by chance are. */
export function poissonQuantile(mean: number, probability: number): number {
  if (mean <= 0) return 0
  if (mean > largeMean) return Math.ceil(mean + normalQuantile(probability) * Math.sqrt(mean))
  let term = Math.exp(-mean)
  let sum = term
  let count = 0
  while (sum < probability && count < 10 * largeMean) {
    count += 1
    term *= mean / count
    sum += term
  }
  return count
}

/** By Abramowitz and Stegun, 26.2.23: off by less than 0.00045. */
function normalQuantile(probability: number): number {
  const tail = Math.min(probability, 1 - probability)
  const t = Math.sqrt(-2 * Math.log(tail))
  const above = 2.515517 + t * (0.802853 + t * 0.010328)
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
  const quantile = t - above / below
  return probability < 0.5 ? -quantile : quantile
}
