import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { FEATURE_NAMES } from './features.ts'
import type { OnnxFile } from './onnx.ts'
import { decodeOnnx, INPUT, OUTPUT } from './onnx.ts'
import { index, random } from './random.ts'
import { reasonsFrom } from './reasons.ts'
import { shapley } from './shapley.ts'
import type { Forest } from './trees.ts'
import { contributions, faultOf, margin, sigmoid } from './trees.ts'

/** One feature's share in a score, in log-odds, and what a person needs to follow it. */
export type ModelReason = {
  readonly feature: string
  /** What it says, for machines, where somebody has given it a name. */
  readonly code?: string
  readonly value: number
  readonly contribution: number
  readonly text: string
}

export type Model = {
  readonly version: string
  readonly featureNames: readonly string[]
  /** A row at or above `threshold` is acted on, at or above `block_threshold` (1: none) blocked. */
  readonly threshold: number
  readonly block_threshold: number
  /** All of the file's metadata: what it was trained on, with which settings, how well. */
  readonly metadata: Readonly<Record<string, string>>
  /** Probabilities of vectors laid end to end. One call at a time per model is enough. */
  readonly score: (vectors: Float32Array) => Promise<Float32Array>
  /** The same by our own reading of the trees. Slower; for checking. */
  readonly walk: (vectors: Float32Array) => Float32Array
  /** What raised the score of one vector most, the strongest first, at most three. */
  readonly explain: (vector: Float32Array) => readonly ModelReason[]
  /** The same by exact Shapley values: some milliseconds, for what a person will look at. */
  readonly explainExactly: (vector: Float32Array) => readonly ModelReason[]
  readonly close: () => Promise<void>
}

/** Makes reasons of what each feature added to the log-odds. */
export type Reasons = (contributions: Float64Array, vector: Float32Array) => ModelReason[]

/** The model that ships with Daybook, made by `npm run train`. */
export const SHIPPED_MODEL = fileURLToPath(new URL('./models/fraud-2.onnx', import.meta.url))
/** Trained on simulated customers by `npm run train -- churn`. */
export const SHIPPED_CHURN_MODEL = fileURLToPath(new URL('./models/churn-1.onnx', import.meta.url))

/** The file is no usable model; the message says why. */
export class ModelRefused extends Error {
  constructor(reason: string) {
    super(`the model was refused: ${reason}`)
    this.name = 'ModelRefused'
  }
}

const PROBES = 1024
const MOST_DIFFERENCE = 1e-5
const ROWS_AT_ONCE = 4096
const MOST_REASONS = 3

/** Vectors made of the forest's own thresholds, just beside them, and missing values. */
const probes = (forest: Forest, features: number): Float32Array => {
  const next = random(1)
  const seen: number[][] = Array.from({ length: features }, () => [0])
  for (const tree of forest.trees) {
    tree.feature.forEach((feature, node) => {
      if (feature >= 0) seen[feature]?.push(tree.threshold[node] as number)
    })
  }
  return Float32Array.from({ length: PROBES * features }, (_, place) => {
    if (next() < 0.1) return Number.NaN
    const thresholds = seen[place % features] as number[]
    const value = thresholds[index(next, thresholds.length)] as number
    return value + (index(next, 3) - 1) * Math.abs(value) * 2 ** -22
  })
}

export type Agreement = {
  readonly rows: number
  readonly agrees: boolean
  /** The largest difference of two probabilities, and where. */
  readonly largest: number
  readonly row: number
  readonly theirs: number
  readonly ours: number
}

/**
 * Whether onnxruntime and our own walk through the trees say the same of every one of these
 * vectors, within 1e-5. Look at a whole test set so before a model is made active.
 */
export const agreesOn = async (
  model: Pick<Model, 'score' | 'walk' | 'featureNames'>,
  vectors: Float32Array,
): Promise<Agreement> => {
  const width = model.featureNames.length
  const rows = vectors.length / width
  let worst = { largest: 0, row: -1, theirs: 0, ours: 0 }
  for (let begin = 0; begin < rows; begin += ROWS_AT_ONCE) {
    const part = vectors.slice(begin * width, (begin + ROWS_AT_ONCE) * width)
    const [found, walked] = [await model.score(part), model.walk(part)]
    walked.forEach((ours, row) => {
      const theirs = found[row] as number
      const apart = Math.abs(ours - theirs)
      // So turned that a NaN counts as the worst of all, and stays it.
      if (apart <= worst.largest || Number.isNaN(worst.largest)) return
      worst = { largest: apart, row: begin + row, theirs, ours }
    })
  }
  return { rows, agrees: worst.largest <= MOST_DIFFERENCE, ...worst }
}

const thresholdOf = (metadata: OnnxFile['metadata'], name: string, otherwise?: number): number => {
  const given = metadata[name]
  const threshold = given === undefined ? (otherwise ?? Number.NaN) : Number(given)
  if (threshold > 0 && threshold <= 1) return threshold
  throw new ModelRefused(`its ${name} is ${given}, not a probability`)
}

const decoded = (bytes: Uint8Array, featureNames: readonly string[]): OnnxFile => {
  let file: OnnxFile
  try {
    file = decodeOnnx(bytes)
  } catch (fault) {
    throw new ModelRefused(fault instanceof Error ? fault.message : String(fault))
  }
  const { metadata, features, forest } = file
  if (metadata.features !== JSON.stringify(featureNames) || features !== featureNames.length) {
    throw new ModelRefused(
      `it was trained on ${metadata.features}, not on ${JSON.stringify(featureNames)}`,
    )
  }
  const fault = faultOf(forest, features)
  if (fault !== undefined) throw new ModelRefused(fault)
  return file
}

const open = async (bytes: Uint8Array): Promise<InferenceSession> => {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    })
  } catch (fault) {
    throw new ModelRefused(fault instanceof Error ? fault.message : String(fault))
  }
}

/** What raised the score most, for features of which nothing more is known than their names. */
const plainReasons = (featureNames: readonly string[]): Reasons => {
  return (contributed, vector) =>
    featureNames
      .map((feature, place) => {
        const value = vector[place] as number
        const contribution = Math.fround(contributed[place] as number)
        return { feature, value, contribution, text: `${feature} ${Number(value.toFixed(2))}` }
      })
      .filter(({ value, contribution }) => contribution > 0 && !Number.isNaN(value))
      .sort((one, other) => other.contribution - one.contribution)
      .slice(0, MOST_REASONS)
}

const reasonsOf = (featureNames: readonly string[]): Reasons =>
  featureNames.join() === FEATURE_NAMES.join() ? reasonsFrom : plainReasons(featureNames)

/**
 * Loads an ONNX file into onnxruntime (one thread) and reads its trees back for the reasons.
 * Throws ModelRefused when its features are not these in this order, when its trees cannot be
 * walked, or when onnxruntime and the trees differ by more than 1e-5 anywhere on the probe set.
 */
export const loadModel = async (
  source: string | Uint8Array,
  featureNames: readonly string[] = FEATURE_NAMES,
): Promise<Model> => {
  const bytes = typeof source === 'string' ? await readFile(source) : source
  const { forest, features, metadata } = decoded(bytes, featureNames)
  const threshold = thresholdOf(metadata, 'threshold')
  const block_threshold = thresholdOf(metadata, 'block_threshold', 1)
  const reasons = reasonsOf(featureNames)
  const session = await open(bytes)
  const model: Model = {
    version: metadata.version ?? 'unnamed',
    featureNames,
    threshold,
    block_threshold,
    metadata,
    score: async (vectors) => {
      const rows = vectors.length / features
      const found = await session.run({ [INPUT]: new Tensor('float32', vectors, [rows, features]) })
      return found[OUTPUT]?.data as Float32Array
    },
    walk: (vectors) =>
      Float32Array.from({ length: vectors.length / features }, (_, row) =>
        sigmoid(margin(forest, vectors, row * features)),
      ),
    explain: (vector) => reasons(contributions(forest, vector), vector),
    explainExactly: (vector) => reasons(shapley(forest, vector), vector),
    close: () => session.release(),
  }
  const { agrees, theirs, ours } = await agreesOn(model, probes(forest, features))
  if (agrees) return model
  await model.close()
  throw new ModelRefused(`onnxruntime says ${theirs} where its trees say ${ours}`)
}
