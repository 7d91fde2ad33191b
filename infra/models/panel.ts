import { readFile } from 'node:fs/promises'
import type { Engine } from '../../commands/engine.ts'
import { newUlid } from '../../commands/ids.ts'
import { adoptModel } from '../../commands/models.ts'
import {
  challengersOf,
  championOf,
  type ModelFamily,
  Models,
  type ModelsState,
  type TrainedModel,
} from '../../domain/models.ts'
import { createTurns } from '../../domain/turns.ts'
import { loadModel, type Model } from '../../ml/model.ts'
import type { Panel } from '../../ml/scoring.ts'
import type { Glance } from '../glance.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import type { Artefacts } from './artefacts.ts'
import { describedBy } from './described.ts'

export type PanelSettings = {
  readonly family: ModelFamily
  readonly features: readonly string[]
  /** The path of the model that answers where the registry names none. */
  readonly shipped: string
  readonly engine: Pick<Engine, 'submit' | 'look'>
  readonly glance: Glance
  readonly artefacts: Artefacts
  readonly clock: () => Date
  /** From which probability to act, where the champion's own threshold shall not say. */
  readonly threshold?: number | undefined
  readonly log: Pick<Log, 'warn'>
}

export type Bench = {
  /** Work with those who answer and watch now, one piece of work after another. */
  withPanel<Result>(work: (panel: Panel) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** Loads what is wanted and not there yet, and lets go of what is wanted no more. */
const createShelf = ({ features, artefacts }: PanelSettings) => {
  const loaded = new Map<string, Model>()
  return {
    add: (sha256: string, model: Model): unknown => loaded.set(sha256, model),
    take: async ({ sha256 }: TrainedModel): Promise<Model> => {
      const known = loaded.get(sha256)
      if (known) return known
      const model = await loadModel(await artefacts.load(sha256), features)
      loaded.set(sha256, model)
      return model
    },
    keepOnly: async (wanted: readonly Model[]): Promise<void> => {
      for (const [sha256, model] of loaded) {
        if (wanted.includes(model)) continue
        loaded.delete(sha256)
        await model.close()
      }
    },
  }
}
type Shelf = ReturnType<typeof createShelf>

/** Keeps the shipped model and lets it answer, where none does yet. */
const adoptShipped = async (settings: PanelSettings, shelf: Shelf): Promise<void> => {
  const { family, features, shipped, artefacts, engine, clock } = settings
  const bytes = await readFile(shipped)
  const model = await loadModel(bytes, features)
  const sha256 = await artefacts.save(bytes)
  shelf.add(sha256, model)
  const context = { actor: SYSTEM, at: clock(), correlation: newUlid() }
  await adoptModel({ engine }, describedBy(family, model, { sha256, bytes: bytes.length }), context)
}

/** The models of a family as the registry has them, loaded when first asked for. */
export const createPanel = (settings: PanelSettings): Bench => {
  const { family, glance, log } = settings
  const shelf = createShelf(settings)
  const inTurn = createTurns()
  let answering: Model | undefined
  let complaint: string | undefined

  const registry = async (): Promise<ModelsState> => (await glance(Models, family)).state

  const champion = async (): Promise<Model> => {
    const named = championOf(await registry())
    if (!named) await adoptShipped(settings, shelf)
    const chosen = named ?? championOf(await registry())
    if (!chosen) throw new Error(`no ${family} model answers`)
    return shelf.take(chosen)
  }
  /** Where the champion's file cannot be used, whoever answered before goes on. */
  const answer = async (): Promise<Model> => {
    try {
      answering = await champion()
      complaint = undefined
    } catch (error) {
      answering ??= await loadModel(settings.shipped, settings.features)
      const said = `the champion cannot be used, ${answering.version} answers: ${error}`
      if (said !== complaint) log.warn({ family }, said)
      complaint = said
    }
    return answering
  }
  const load = async (): Promise<Panel> => {
    const answers = await answer()
    // Who only watches must not keep the champion from answering.
    const watching = await Promise.allSettled(challengersOf(await registry()).map(shelf.take))
    const challengers = watching.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await shelf.keepOnly([answers, ...challengers])
    const { threshold = answers.threshold } = settings
    return { champion: { ...answers, threshold }, challengers }
  }
  return {
    // In turn: a model must not be let go of while it works.
    withPanel: (work) => inTurn(async () => work(await load())),
    close: () => inTurn(() => shelf.keepOnly([])),
  }
}
