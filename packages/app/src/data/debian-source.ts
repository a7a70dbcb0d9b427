import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type RunCommand, runCommand } from "./run-command.ts"
import { type DataSource, type SourceRequest, sourceFailed } from "./source.ts"
import { install } from "./verify.ts"

/** For how long apt may receive nothing. */
const patienceMs = 8000

/**
 * A Debian package, for machines that reach an archive of Debian and little else. It is downloaded with package lists
 * of its own and unpacked into a temporary folder: nothing is installed, no list needs to be there, nobody needs to be
 * root.
 *
 * @param inside folder of the package that holds the files
 */
export function debianSource(packageName: string, inside: string, run: RunCommand = runCommand): DataSource {
  return {
    label: `the Debian package ${packageName}`,
    async obtain(request) {
      const work = await mkdtemp(join(tmpdir(), "learnloss-apt-"))
      try {
        const unpacked = await unpackPackage(packageName, work, run, request)
        for (const file of request.files) {
          // The name has to differ from a download's, which is continued later.
          const temporary = join(request.folder, `${file.name}.copying`)
          await copyFile(join(unpacked, inside, file.name), temporary).catch((error: Error) => {
            throw sourceFailed(packageName, `the file ${inside}/${file.name}`, error.message, error)
          })
          await install(temporary, request.folder, file, request.signal)
          await rm(join(request.folder, `${file.name}.partial`), { force: true })
        }
      } finally {
        await rm(work, { recursive: true, force: true })
      }
    },
  }
}

async function unpackPackage(
  packageName: string,
  work: string,
  run: RunCommand,
  { onProgress, signal }: SourceRequest,
): Promise<string> {
  for (const folder of ["lists/partial", "cache/archives/partial", "unpacked"]) {
    await mkdir(join(work, folder), { recursive: true })
  }
  const settings = [
    `Dir::State::Lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    "Dir::State::status=/var/lib/dpkg/status",
    "APT::Sandbox::User=",
    "Debug::NoLocking=1",
    "Acquire::Languages=none",
    "Acquire::Retries=0",
    "Acquire::http::Timeout=8",
    "Acquire::https::Timeout=8",
  ].flatMap((setting) => ["-o", setting])
  const progress = { measure: () => measureFolder(work), patienceMs }
  onProgress({ type: "step", text: "reading package lists" })
  await run("apt-get", [...settings, "update"], { cwd: work, signal, progress })
  onProgress({ type: "step", text: `downloading the package ${packageName}` })
  await run("apt-get", [...settings, "download", packageName], { cwd: work, signal, progress })
  const file = (await readdir(work)).find((name) => name.endsWith(".deb"))
  if (file === undefined) throw sourceFailed("apt-get", `a file of the package ${packageName}`, "none")
  onProgress({ type: "step", text: `unpacking ${file}` })
  await run("dpkg-deb", ["-x", join(work, file), join(work, "unpacked")], { signal })
  return join(work, "unpacked")
}

/** Bytes of all files below a folder, as apt fills it. */
async function measureFolder(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size),
  )
  return sizes.reduce((sum: number, size) => sum + (size ?? 0), names.length)
}
