import { ModelProto } from './onnx_schema.ts'
import type { Forest, Tree } from './trees.ts'
import { emptyTree, fillMeans } from './trees.ts'

/** AttributeProto.AttributeType */
const TYPE = { int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const
/** TensorProto.DataType */
const ELEMENT_FLOAT = 1
/** IR version 8 goes with opset 15 of ai.onnx; ai.onnx.ml 3 is the last before TreeEnsemble 5. */
const IR_VERSION = 8
const OPSETS = [
  { domain: '', version: 15 },
  { domain: 'ai.onnx.ml', version: 3 },
]

export const INPUT = 'features'
export const OUTPUT = 'probability'

export type OnnxFile = {
  readonly forest: Forest
  readonly features: number
  readonly metadata: Readonly<Record<string, string>>
}

type Attribute = {
  readonly name: string
  readonly type: number
  readonly floats?: readonly number[]
  readonly ints?: readonly number[]
  readonly strings?: readonly Uint8Array[]
  readonly i?: number
  readonly s?: Uint8Array
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const ints = (name: string, list: readonly number[]): Attribute => ({
  name,
  type: TYPE.ints,
  ints: list,
})
const floats = (name: string, list: readonly number[]): Attribute => ({
  name,
  type: TYPE.floats,
  floats: list,
})

const matrix = (name: string, columns: number) => ({
  name,
  type: {
    tensor_type: {
      elem_type: ELEMENT_FLOAT,
      shape: { dim: [{ dim_param: 'rows' }, { dim_value: columns }] },
    },
  },
})

/** The attributes of TreeEnsembleRegressor-3; row counts travel as `nodes_hitrates`. */
const attributesOf = (forest: Forest): Attribute[] => {
  const nodes = forest.trees.flatMap((tree, number) =>
    Array.from(tree.feature, (feature, node) => ({ tree, number, node, leaf: feature < 0 })),
  )
  const leaves = nodes.filter(({ leaf }) => leaf)
  const inner = (list: (tree: Tree) => ArrayLike<number>) =>
    nodes.map(({ tree, node, leaf }) => (leaf ? 0 : (list(tree)[node] as number)))
  return [
    floats('base_values', [forest.base]),
    { name: 'n_targets', type: TYPE.int, i: 1 },
    ints(
      'nodes_treeids',
      nodes.map(({ number }) => number),
    ),
    ints(
      'nodes_nodeids',
      nodes.map(({ node }) => node),
    ),
    ints(
      'nodes_featureids',
      inner((tree) => tree.feature),
    ),
    floats(
      'nodes_values',
      inner((tree) => tree.threshold),
    ),
    ints(
      'nodes_truenodeids',
      inner((tree) => tree.yes),
    ),
    ints(
      'nodes_falsenodeids',
      inner((tree) => tree.no),
    ),
    ints(
      'nodes_missing_value_tracks_true',
      inner((tree) => tree.missing_yes),
    ),
    floats(
      'nodes_hitrates',
      nodes.map(({ tree, node }) => tree.rows[node] as number),
    ),
    {
      name: 'nodes_modes',
      type: TYPE.strings,
      strings: nodes.map(({ leaf }) => bytesOf(leaf ? 'LEAF' : 'BRANCH_LEQ')),
    },
    ints(
      'target_treeids',
      leaves.map(({ number }) => number),
    ),
    ints(
      'target_nodeids',
      leaves.map(({ node }) => node),
    ),
    ints(
      'target_ids',
      leaves.map(() => 0),
    ),
    floats(
      'target_weights',
      leaves.map(({ tree, node }) => tree.value[node] as number),
    ),
    { name: 'post_transform', type: TYPE.string, s: bytesOf('NONE') },
  ]
}

/** `features` [rows, n] float32 -> trees -> sigmoid -> `probability` [rows, 1] float32. */
export const encodeOnnx = ({ forest, features, metadata }: OnnxFile): Uint8Array =>
  ModelProto.encode(
    ModelProto.fromObject({
      ir_version: IR_VERSION,
      producer_name: 'daybook',
      opset_import: OPSETS,
      metadata_props: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name: 'forest',
        input: [matrix(INPUT, features)],
        output: [matrix(OUTPUT, 1)],
        node: [
          {
            name: 'trees',
            domain: 'ai.onnx.ml',
            op_type: 'TreeEnsembleRegressor',
            input: [INPUT],
            output: ['margin'],
            attribute: attributesOf(forest),
          },
          { name: 'sigmoid', op_type: 'Sigmoid', input: ['margin'], output: [OUTPUT] },
        ],
      },
    }),
  ).finish()

type DecodedModel = {
  metadata_props: { key: string; value: string }[]
  graph: {
    input: { type: { tensor_type: { shape: { dim: { dim_value?: number }[] } } } }[]
    node: { op_type: string; attribute: Attribute[] }[]
  }
}

const treesFrom = (attributes: readonly Attribute[]): Tree[] => {
  const list = (name: string): readonly number[] => {
    const found = attributes.find((attribute) => attribute.name === name)
    return (found?.type === TYPE.floats ? found.floats : found?.ints) ?? []
  }
  const [owners, ids] = [list('nodes_treeids'), list('nodes_nodeids')]
  const modes = attributes.find(({ name }) => name === 'nodes_modes')?.strings ?? []
  const counts: number[] = []
  for (const owner of owners) counts[owner] = (counts[owner] ?? 0) + 1
  const trees = counts.map(emptyTree)
  const columns = [
    ['threshold', list('nodes_values')],
    ['yes', list('nodes_truenodeids')],
    ['no', list('nodes_falsenodeids')],
    ['missing_yes', list('nodes_missing_value_tracks_true')],
    ['rows', list('nodes_hitrates')],
  ] as const
  const asked = list('nodes_featureids')
  owners.forEach((owner, place) => {
    const [tree, node] = [trees[owner] as Tree, ids[place] as number]
    for (const [field, values] of columns) tree[field][node] = values[place] as number
    const leaf = new TextDecoder().decode(modes[place]) === 'LEAF'
    tree.feature[node] = leaf ? -1 : (asked[place] as number)
  })
  const leaves = list('target_nodeids')
  const weights = list('target_weights')
  list('target_treeids').forEach((owner, place) => {
    ;(trees[owner] as Tree).value[leaves[place] as number] = weights[place] as number
  })
  return trees.map(fillMeans)
}

/** Reads back what `encodeOnnx` wrote. Throws on bytes that are no such model. */
export const decodeOnnx = (bytes: Uint8Array): OnnxFile => {
  const decoded = ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true })
  const model = decoded as DecodedModel
  const trees = model.graph?.node.find(({ op_type }) => op_type === 'TreeEnsembleRegressor')
  const features = model.graph?.input[0]?.type.tensor_type.shape.dim[1]?.dim_value
  const base = trees?.attribute.find(({ name }) => name === 'base_values')?.floats?.[0]
  if (!trees || !features || base === undefined) throw new Error('this ONNX file holds no forest')
  return {
    forest: { base, trees: treesFrom(trees.attribute) },
    features,
    metadata: Object.fromEntries(model.metadata_props.map(({ key, value }) => [key, value])),
  }
}
