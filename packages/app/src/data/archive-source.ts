import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { type RunCommand, runCommand } from "./run-command.ts"
import { type DataSource, sourceFailed } from "./source.ts"
import { digestFile, install } from "./verify.ts"
import { fetchFile, type Patience } from "./web-source.ts"

export interface Archive {
  /** Address of a .tar.gz with all files in one folder. */
  readonly url: string
  readonly md5: string
}

/** One compressed archive on the web, unpacked with the system's `tar`. */
export function archiveSource(
  label: string,
  { url, md5 }: Archive,
  patience: Patience = {},
  run: RunCommand = runCommand,
): DataSource {
  const name = new URL(url).pathname.split("/").at(-1) ?? "archive.tar.gz"
  return {
    label,
    async obtain(request) {
      const { folder, files, onProgress, signal } = request
      await fetchFile(url, { name }, request, patience, async (temporary) => {
        const found = await digestFile(temporary, "md5", false, signal)
        if (found === md5) return
        await rm(temporary, { force: true })
        throw sourceFailed(url, `MD5 ${md5}`, found)
      })
      onProgress({ type: "step", text: `unpacking ${name}` })
      const unpacked = await mkdtemp(join(folder, ".unpacking-"))
      const archive = join(folder, `${name}.partial`)
      try {
        await run("tar", ["-xzf", archive, "-C", unpacked, "--strip-components=1"], { signal })
        for (const file of files) await install(join(unpacked, file.name), folder, file, signal)
      } finally {
        await rm(unpacked, { recursive: true, force: true })
      }
      await rm(archive, { force: true })
    },
  }
}
