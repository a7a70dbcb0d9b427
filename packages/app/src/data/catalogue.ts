import type { DataFormat } from "@learnloss/contract"
import { fashionMnistFiles } from "@learnloss/learn"
import { archiveSource } from "./archive-source.ts"
import { debianSource } from "./debian-source.ts"
import type { DataFile, DataSource } from "./source.ts"
import { webSource } from "./web-source.ts"

/** What can be said of a data set or format before anything is read. */
export interface CatalogueEntry {
  /** How it is written in `data:` and on the command line. */
  readonly forms: readonly string[]
  readonly description: string
  readonly licence: string | null
  /** How it is fetched; null when it needs no fetching or cannot be fetched. */
  readonly recipe: { readonly files: readonly DataFile[]; readonly sources: readonly DataSource[] } | null
}

const fashionMnistDigests: Record<(typeof fashionMnistFiles)[number], string> = {
  "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
  "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

/** Everything that `data:` can name. */
export const catalogue = {
  cifar10: {
    forms: ["cifar10", "cifar10:DIR"],
    description: "CIFAR-10, binary version: 60,000 colour images of 32x32 pixels in 10 classes of animals and vehicles",
    licence: null,
    recipe: {
      // The test batch stands last: where it is, the others are.
      files: [
        { name: "batches.meta.txt" },
        ...[1, 2, 3, 4, 5].map((number) => ({ name: `data_batch_${number}.bin`, bytes: 30_730_000 })),
        { name: "test_batch.bin", bytes: 30_730_000 },
      ],
      sources: [
        archiveSource("the official address", {
          url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
          md5: "c32a1d4ab5d03f1284b67883e8d87530",
        }),
      ],
    },
  },
  "fashion-mnist": {
    forms: ["fashion-mnist", "fashion-mnist:DIR"],
    description: "Fashion-MNIST: 70,000 grey images of 28x28 pixels in 10 classes of clothing",
    licence: "MIT (Expat)",
    recipe: {
      files: fashionMnistFiles.map((name) => ({ name: `${name}.gz`, sha256: fashionMnistDigests[name] })),
      sources: [
        webSource(
          "the official address",
          "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        ),
        debianSource("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
      ],
    },
  },
  images: {
    forms: ["images:DIR"],
    description: "a folder of your own images, DIR/class/image or DIR/train/class/image and DIR/test/class/image",
    licence: null,
    recipe: null,
  },
  shapes: {
    forms: ["shapes", "shapes:TRAIN,TEST"],
    description: "drawn shapes: colour images of 32x32 pixels in 10 classes, made on the spot (12,000 and 2,000)",
    licence: null,
    recipe: null,
  },
  "shapes-detection": {
    forms: ["shapes-detection", "shapes-detection:TRAIN,TEST"],
    description:
      "drawn shapes with boxes: colour pictures of 128x128 pixels, 6 classes, made on the spot (2,000 and 500)",
    licence: null,
    recipe: null,
  },
  figures: {
    forms: ["figures", "figures:TRAIN,TEST"],
    description:
      "drawn people with their joints: colour pictures of 128 pixels height, 14 joints, made on the spot (2,000 and 500)",
    licence: null,
    recipe: null,
  },
  voc: {
    forms: ["voc:DIR", "voc:DIR?train=trainval&test=test"],
    description:
      "images with boxes as PASCAL VOC has them: JPEGImages/, Annotations/, ImageSets/Main/ in DIR or below it",
    licence: null,
    recipe: null,
  },
  coco: {
    forms: ["coco:DIR", "coco:FILE.json"],
    description:
      "images with boxes or people as COCO has them: instances_*.json or person_keypoints_*.json in DIR or DIR/annotations/",
    licence: null,
    recipe: null,
  },
  yolo: {
    forms: ["yolo:DIR"],
    description: "images with boxes or people as YOLO has them: data.yaml or classes.txt, images/ and labels/ in DIR",
    licence: null,
    recipe: null,
  },
  mpii: {
    forms: ["mpii:DIR", "mpii:FILE.mat", "mpii:FILE.json"],
    description:
      "people of MPII Human Pose: mpii_human_pose_v1_u12_1.mat, and HRNet's or pytorch-pose's JSON, in DIR or below it",
    licence: null,
    recipe: null,
  },
} as const satisfies Record<DataFormat, CatalogueEntry>
