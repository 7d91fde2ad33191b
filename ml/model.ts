import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { FEATURE_NAMES } from './features.ts'
import type { OnnxFile } from './onnx.ts'
import { decodeOnnx, INPUT, OUTPUT } from './onnx.ts'
import { index, random } from './random.ts'
import type { Reason } from './reasons.ts'
import { reasonsFrom } from './reasons.ts'
import type { Forest } from './trees.ts'
import { contributions, margin, sigmoid } from './trees.ts'

export type Model = {
  readonly version: string
  readonly featureNames: readonly string[]
  /** A movement at or above `threshold` is reviewed, at or above `block_threshold` blocked. */
  readonly threshold: number
  readonly block_threshold: number
  /** All of the file's metadata: what it was trained on, with which settings, how well. */
  readonly metadata: Readonly<Record<string, string>>
  /** Probabilities of vectors laid end to end. One call at a time per model is enough. */
  readonly score: (vectors: Float32Array) => Promise<Float32Array>
  /** What raised the score of one vector most, the strongest first, at most three. */
  readonly explain: (vector: Float32Array) => readonly Reason[]
  readonly close: () => Promise<void>
}

/** The model that ships with Daybook, made by `npm run train`. */
export const SHIPPED_MODEL = fileURLToPath(new URL('./models/fraud-1.onnx', import.meta.url))

/** The file is no usable model; the message says why. */
export class ModelRefused extends Error {
  constructor(reason: string) {
    super(`the model was refused: ${reason}`)
    this.name = 'ModelRefused'
  }
}

const PROBES = 1024
const MOST_DIFFERENCE = 1e-5

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

const check = async (file: OnnxFile, score: Model['score']): Promise<void> => {
  const { forest, features } = file
  const vectors = probes(forest, features)
  const probabilities = await score(vectors)
  for (let row = 0; row < PROBES; row += 1) {
    const ours = sigmoid(margin(forest, vectors.subarray(row * features, (row + 1) * features)))
    const theirs = probabilities[row] as number
    if (!(Math.abs(ours - theirs) <= MOST_DIFFERENCE)) {
      throw new ModelRefused(`onnxruntime says ${theirs} where its trees say ${ours}`)
    }
  }
}

const thresholdOf = (metadata: OnnxFile['metadata'], name: string): number => {
  const threshold = Number(metadata[name] ?? Number.NaN)
  if (threshold > 0 && threshold <= 1) return threshold
  throw new ModelRefused(`its ${name} is ${metadata[name]}, not a probability`)
}

const decoded = (bytes: Uint8Array): OnnxFile => {
  try {
    return decodeOnnx(bytes)
  } catch (fault) {
    throw new ModelRefused(fault instanceof Error ? fault.message : String(fault))
  }
}

/**
 * Loads an ONNX file into onnxruntime (one thread) and reads its trees back for the reasons.
 * Throws ModelRefused when its features are not the reducer's, or when onnxruntime and the trees
 * differ by more than 1e-5 anywhere on the probe set.
 */
export const loadModel = async (source: string | Uint8Array): Promise<Model> => {
  const bytes = typeof source === 'string' ? await readFile(source) : source
  const file = decoded(bytes)
  const { forest, features, metadata } = file
  if (metadata.features !== JSON.stringify(FEATURE_NAMES)) {
    throw new ModelRefused(`it was trained on ${metadata.features}, not on the reducer's features`)
  }
  const threshold = thresholdOf(metadata, 'threshold')
  const block_threshold = thresholdOf(metadata, 'block_threshold')
  const session = await InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  const score = async (vectors: Float32Array): Promise<Float32Array> => {
    const rows = vectors.length / features
    const found = await session.run({ [INPUT]: new Tensor('float32', vectors, [rows, features]) })
    return found[OUTPUT]?.data as Float32Array
  }
  await check(file, score)
  return {
    version: metadata.version ?? 'unnamed',
    featureNames: FEATURE_NAMES,
    threshold,
    block_threshold,
    metadata,
    score,
    explain: (vector) => reasonsFrom(contributions(forest, vector), vector),
    close: () => session.release(),
  }
}
