import { type DataFormat, dataFormats } from "@learnloss/contract"
import { dataPlaces } from "@learnloss/learn"
import { type CatalogueEntry, catalogue } from "./catalogue.ts"
import { findDataset } from "./fetch-dataset.ts"

/** One line of `learnloss data list`. */
export interface ListedData {
  readonly name: DataFormat
  readonly forms: readonly string[]
  readonly description: string
  readonly licence: string | null
  readonly isFetchable: boolean
  /** Where it is; null when it is not on this machine, or has no place of its own. */
  readonly folder: string | null
}

/** Everything that can be named, and where on this machine it is. */
export function listCatalogue(places: readonly string[] = dataPlaces()): ListedData[] {
  return dataFormats.map((name) => {
    const { forms, description, licence, recipe }: CatalogueEntry = catalogue[name]
    const folder = findDataset(name, places) ?? null
    return { name, forms, description, licence, isFetchable: recipe !== null, folder }
  })
}

/** The list as lines for a person. */
export function formatCatalogue(entries: readonly ListedData[]): string {
  return entries
    .map((entry) => {
      const lines = [entry.forms.join(" or "), `  ${entry.description}`]
      if (entry.licence !== null) lines.push(`  licence: ${entry.licence}`)
      if (entry.folder !== null) lines.push(`  is in ${entry.folder}`)
      else if (entry.isFetchable) lines.push(`  not here: learnloss data fetch ${entry.name}`)
      return lines.join("\n")
    })
    .join("\n\n")
}
