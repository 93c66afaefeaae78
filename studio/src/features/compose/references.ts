import { facts, itemQuery, media } from "@/api/library";
import { client } from "@/api/query";
import type { ItemDetail } from "@/api/types";
import { readRecord } from "@/api/videos";
import { tell, tellFailure } from "@/components/toasts";
import { type Reference, reuseRecord, type Use, useDraft } from "@/features/compose/draft";
import { t } from "@/lib/i18n";

let counter = 0;
export const localId = (prefix: string): string => `${prefix}${Date.now().toString(36)}${(counter++).toString(36)}`;

const IMAGES = ["image/png", "image/jpeg", "image/webp"];
const MAX_IMAGE = 50 * 2 ** 20;
const MAX_VIDEO = 512 * 2 ** 20;

function measureImage(url: string): Promise<{ width: number; height: number }> {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => failed(new Error(t("This picture cannot be read: use PNG, JPEG or WebP.")));
    image.src = url;
  });
}

function measureVideo(url: string): Promise<{ width: number; height: number; seconds: number }> {
  return new Promise((done, failed) => {
    const video = document.createElement("video");
    video.preload = "metadata";
    video.muted = true;
    video.onloadedmetadata = () =>
      done({ width: video.videoWidth, height: video.videoHeight, seconds: video.duration });
    video.onerror = () => failed(new Error(t("This video cannot be read: use MP4 with H.264.")));
    video.src = url;
  });
}

/** A file of this computer as a reference. Throws an Error with words where it cannot be one. */
export async function fileReference(file: Blob, name: string, use?: Use): Promise<Reference> {
  const isVideo = file.type.startsWith("video/");
  if (!isVideo && !IMAGES.includes(file.type)) {
    throw new Error(t("{name} is neither a picture (PNG, JPEG, WebP) nor a video (MP4).", { name }));
  }
  if (file.size > (isVideo ? MAX_VIDEO : MAX_IMAGE)) throw new Error(t("{name} is too large.", { name }));
  const url = URL.createObjectURL(file);
  try {
    const seen = isVideo ? await measureVideo(url) : { ...(await measureImage(url)), seconds: null };
    return {
      id: localId("r"),
      kind: isVideo ? "video" : "image",
      name,
      url,
      file,
      clip: null,
      fps: null,
      use: use ?? (isVideo ? "restyle" : "first"),
      fit: "cover",
      ...seen,
    };
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

export function clipReference(item: ItemDetail, use: Use = "restyle"): Reference {
  return {
    id: localId("r"),
    kind: "video",
    name: item.title || item.prompt || item.id,
    url: media.video(item.id),
    file: null,
    clip: item.id,
    use,
    fit: "cover",
    ...facts(item),
  };
}

export async function addClip(id: string, use?: Use): Promise<void> {
  try {
    const item = await client.fetchQuery(itemQuery(id));
    useDraft.getState().addReference(clipReference(item, use));
  } catch (error) {
    tellFailure(t("The clip could not be added"), error);
  }
}

/** Pictures and clips that were dropped, pasted or picked. One of our own files brings its settings back instead. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  for (const file of files) {
    if (file.type === "video/mp4" && files.length === 1 && (await restore(file))) continue;
    try {
      useDraft.getState().addReference(await fileReference(file, file.name));
    } catch (error) {
      tellFailure(t("{name} was not added", { name: file.name }), error);
    }
  }
}

async function restore(file: File): Promise<boolean> {
  try {
    const record = await readRecord(file);
    reuseRecord(record);
  } catch {
    return false; // not a clip of ours: a reference like any other
  }
  tell({
    title: t("Settings restored"),
    text: t("{name} says how it was made; the box now holds the same settings.", { name: file.name }),
    action: {
      label: t("Use it as a reference instead"),
      run: () => void fileReference(file, file.name).then((one) => useDraft.getState().addReference(one)),
    },
  });
  return true;
}
