import type { Forest } from './trees.ts'
import { sigmoid } from './trees.ts'

/** Platt's line through the log-odds: calibrated = `scale` x margin + `shift`. */
export type Calibration = { readonly scale: number; readonly shift: number }

export const NO_CALIBRATION: Calibration = { scale: 1, shift: 0 }

/** With fewer rows of a label than this there is nothing to calibrate on. */
const LEAST_OF_EACH = 10
const LEAST_SCALE = 0.1
const ROUNDS = 50

/** Mean of the logistic loss over log-odds, without overflow. */
export const logLoss = (margins: Float64Array, labels: Uint8Array): number => {
  let sum = 0
  for (let row = 0; row < margins.length; row += 1) {
    const margin = margins[row] as number
    const wrong = labels[row] === 1 ? -margin : margin
    sum += Math.max(0, wrong) + Math.log1p(Math.exp(-Math.abs(wrong)))
  }
  return sum / margins.length
}

const loss = ({ scale, shift }: Calibration, margins: Float64Array, labels: Uint8Array): number => {
  const moved = margins.map((margin) => margin * scale + shift)
  const pull = ((scale - 1) ** 2 + shift ** 2) / 2
  return logLoss(moved, labels) * margins.length + pull
}

/** One step of Newton's towards the least loss; the prior holds it to doing nothing. */
const stepFrom = ({ scale, shift }: Calibration, margins: Float64Array, labels: Uint8Array) => {
  let [down, side] = [scale - 1, shift]
  let [curve, cross, level] = [1, 0, 1]
  for (let row = 0; row < margins.length; row += 1) {
    const margin = margins[row] as number
    const probability = sigmoid(margin * scale + shift)
    const off = probability - (labels[row] as number)
    const weight = probability * (1 - probability)
    down += off * margin
    side += off
    curve += weight * margin * margin
    cross += weight * margin
    level += weight
  }
  const determinant = curve * level - cross * cross
  return {
    scale: (level * down - cross * side) / determinant,
    shift: (curve * side - cross * down) / determinant,
  }
}

/**
 * The scale and shift of the log-odds that fit these labels best, with a weak prior on leaving
 * them as they are. Leaves them when there is too little to go by, or when the fit would turn the
 * order round.
 */
export const fitCalibration = (margins: Float64Array, labels: Uint8Array): Calibration => {
  const positive = labels.reduce((sum, label) => sum + label, 0)
  if (Math.min(positive, labels.length - positive) < LEAST_OF_EACH) return NO_CALIBRATION
  let found = NO_CALIBRATION
  let least = loss(found, margins, labels)
  for (let round = 0; round < ROUNDS; round += 1) {
    const step = stepFrom(found, margins, labels)
    let tried = found
    let reached = Number.POSITIVE_INFINITY
    for (let part = 1; part > 1e-4 && !(reached < least); part /= 2) {
      tried = { scale: found.scale - part * step.scale, shift: found.shift - part * step.shift }
      reached = loss(tried, margins, labels)
    }
    if (!(reached < least - 1e-9)) break
    found = tried
    least = reached
  }
  return found.scale >= LEAST_SCALE ? found : NO_CALIBRATION
}

/** Folds the calibration into leaves and base, so that a forest needs nothing beside it. */
export const calibrated = (forest: Forest, { scale, shift }: Calibration): Forest => ({
  base: Math.fround(forest.base * scale + shift),
  trees: forest.trees.map((tree) => ({
    ...tree,
    value: tree.value.map((value) => value * scale),
  })),
})
