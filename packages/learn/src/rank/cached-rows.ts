import type { FeatureCache, RowHandle } from "../frozen/feature-cache.ts"
import type { FeatureRows } from "./feature-rows.ts"

/** Rows of a cache as the features of samples, in the order of the handles. */
export function cachedRows(cache: FeatureCache, handles: readonly RowHandle[]): FeatureRows {
  return {
    count: handles.length,
    width: cache.width,
    read: (positions, into) =>
      cache.read(
        positions.map((position) => handles[position] as RowHandle),
        into,
      ),
  }
}
